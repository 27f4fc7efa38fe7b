//! Takes out of a parsed file what exists only in tests.
//!
//! A syntax tree goes in and comes back without what stands under `#[cfg(test)]` or `#[test]`, so
//! that the rules need not know of tests. Modules in files of their own that were taken out this way
//! are named, as their files are tests too.

use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, Field, ForeignItem, ImplItem, Item, Meta, Stmt, Token, TraitItem};

/// A module declared for tests only, whose code is elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TestModule {
    /// The inline modules around its declaration, then itself.
    pub path: Vec<String>,
    /// What `#[path = "..."]` says.
    pub file: Option<String>,
}

/// Takes tests out of `file`; gives back the modules that lie elsewhere, or nothing at all if the
/// whole file is a test.
pub fn strip(file: &mut syn::File) -> Option<Vec<TestModule>> {
    if only_in_tests(&file.attrs) {
        return None;
    }
    let mut strip = Strip { inside: Vec::new(), elsewhere: Vec::new() };
    strip.visit_file_mut(file);
    Some(strip.elsewhere)
}

struct Strip {
    inside: Vec<String>,
    elsewhere: Vec<TestModule>,
}

impl Strip {
    fn items(&mut self, items: &mut Vec<Item>) {
        items.retain(|item| {
            let test = only_in_tests(attributes_of_item(item));
            if let (true, Item::Mod(module)) = (test, item)
                && module.content.is_none()
            {
                let mut path = self.inside.clone();
                path.push(module.ident.to_string());
                self.elsewhere.push(TestModule { path, file: path_attribute(&module.attrs) });
            }
            !test
        });
    }
}

impl VisitMut for Strip {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        self.items(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        self.inside.push(module.ident.to_string());
        if let Some((_, items)) = &mut module.content {
            self.items(items);
        }
        visit_mut::visit_item_mod_mut(self, module);
        self.inside.pop();
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        item.items.retain(|item| {
            !only_in_tests(match item {
                ImplItem::Const(item) => &item.attrs,
                ImplItem::Fn(item) => &item.attrs,
                ImplItem::Type(item) => &item.attrs,
                ImplItem::Macro(item) => &item.attrs,
                _ => &[],
            })
        });
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_item_trait_mut(&mut self, item: &mut syn::ItemTrait) {
        item.items.retain(|item| {
            !only_in_tests(match item {
                TraitItem::Const(item) => &item.attrs,
                TraitItem::Fn(item) => &item.attrs,
                TraitItem::Type(item) => &item.attrs,
                TraitItem::Macro(item) => &item.attrs,
                _ => &[],
            })
        });
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_item_foreign_mod_mut(&mut self, item: &mut syn::ItemForeignMod) {
        item.items.retain(|item| {
            !only_in_tests(match item {
                ForeignItem::Fn(item) => &item.attrs,
                ForeignItem::Static(item) => &item.attrs,
                ForeignItem::Type(item) => &item.attrs,
                ForeignItem::Macro(item) => &item.attrs,
                _ => &[],
            })
        });
        visit_mut::visit_item_foreign_mod_mut(self, item);
    }

    fn visit_fields_named_mut(&mut self, fields: &mut syn::FieldsNamed) {
        retain(&mut fields.named, |field: &Field| !only_in_tests(&field.attrs));
        visit_mut::visit_fields_named_mut(self, fields);
    }

    fn visit_fields_unnamed_mut(&mut self, fields: &mut syn::FieldsUnnamed) {
        retain(&mut fields.unnamed, |field: &Field| !only_in_tests(&field.attrs));
        visit_mut::visit_fields_unnamed_mut(self, fields);
    }

    fn visit_item_enum_mut(&mut self, item: &mut syn::ItemEnum) {
        retain(&mut item.variants, |variant| !only_in_tests(&variant.attrs));
        visit_mut::visit_item_enum_mut(self, item);
    }

    fn visit_expr_match_mut(&mut self, expr: &mut syn::ExprMatch) {
        expr.arms.retain(|arm| !only_in_tests(&arm.attrs));
        visit_mut::visit_expr_match_mut(self, expr);
    }

    fn visit_expr_struct_mut(&mut self, expr: &mut syn::ExprStruct) {
        retain(&mut expr.fields, |field| !only_in_tests(&field.attrs));
        visit_mut::visit_expr_struct_mut(self, expr);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|stmt| {
            !only_in_tests(match stmt {
                Stmt::Local(local) => &local.attrs,
                Stmt::Item(item) => attributes_of_item(item),
                Stmt::Expr(expr, _) => attributes_of_expr(expr),
                Stmt::Macro(stmt) => &stmt.attrs,
            })
        });
        visit_mut::visit_block_mut(self, block);
    }
}

fn retain<T, P: Default>(list: &mut syn::punctuated::Punctuated<T, P>, keep: impl Fn(&T) -> bool) {
    if !list.iter().all(&keep) {
        *list = std::mem::take(list).into_iter().filter(keep).collect();
    }
}

fn attributes_of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Of the expressions that are written as statements.
fn attributes_of_expr(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Assign(expr) => &expr.attrs,
        Expr::Binary(expr) => &expr.attrs,
        Expr::Block(expr) => &expr.attrs,
        Expr::Call(expr) => &expr.attrs,
        Expr::ForLoop(expr) => &expr.attrs,
        Expr::If(expr) => &expr.attrs,
        Expr::Loop(expr) => &expr.attrs,
        Expr::Macro(expr) => &expr.attrs,
        Expr::Match(expr) => &expr.attrs,
        Expr::MethodCall(expr) => &expr.attrs,
        Expr::Return(expr) => &expr.attrs,
        Expr::Unsafe(expr) => &expr.attrs,
        Expr::While(expr) => &expr.attrs,
        _ => &[],
    }
}

/// What a `#[path = "..."]` among `attrs` says.
pub fn path_attribute(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// Whether what carries `attrs` is compiled only for tests.
fn only_in_tests(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::Path(path) => path.is_ident("test") || path.is_ident("bench"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args::<Meta>().is_ok_and(|predicate| implies_test(&predicate))
        }
        _ => false,
    })
}

/// Whether a `cfg` predicate can hold only in a test build.
fn implies_test(predicate: &Meta) -> bool {
    match predicate {
        Meta::Path(path) => path.is_ident("test") || path.is_ident("doctest"),
        Meta::List(list) => {
            let parse = syn::punctuated::Punctuated::<Meta, Token![,]>::parse_terminated;
            let Ok(parts) = list.parse_args_with(parse) else { return false };
            if list.path.is_ident("all") {
                parts.iter().any(implies_test)
            } else {
                list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(implies_test)
            }
        }
        Meta::NameValue(_) => false,
    }
}
