//! What core's code must not touch: waiting, I/O, clocks, threads, hash order, floats, `unsafe`.
//!
//! The sources of one crate go in, tests left out; findings come out. Files are parsed, names are
//! followed through `use` items ([`super::names`]) and the insides of macros are read as tokens
//! ([`super::tokens`]).
//!
//! Begin at [`check`]; [`Judge`] holds the verdicts, [`Reader`] finds what to judge.

use super::names::{Imports, Names, Segments};
use super::rules::{self, Rule};
use super::{Finding, Report, strip, tokens};
use crate::workspace;
use proc_macro2::{Span, TokenStream};
use std::fs;
use std::path::{Path, PathBuf};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Expr, Safety, Token};

/// A file of a crate, read and without its tests.
struct Source {
    /// Relative to the workspace.
    shown: String,
    tree: syn::File,
    imports: Imports,
}

/// Judges the sources of the crate in `folder` of the workspace at `root`.
///
/// # Errors
/// When a file cannot be read.
pub fn check(root: &Path, folder: &Path, report: &mut Report) -> Result<(), String> {
    let src = folder.join("src");
    let mut paths = Vec::new();
    rust_files(&src, &mut paths)?;
    let mut texts = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        texts.push((path, text));
    }
    examine(root, &src, texts, report);
    Ok(())
}

/// Judges the files of a crate, given with their texts; `src` holds them all.
pub fn examine(root: &Path, src: &Path, texts: Vec<(PathBuf, String)>, report: &mut Report) {
    let mut sources = Vec::new();
    let mut tests = Vec::new();
    for (path, text) in texts {
        let shown = workspace::shown(root, &path);
        let mut tree = match syn::parse_file(&text) {
            Ok(tree) => tree,
            Err(error) => {
                let what = format!("the file does not parse: {error}");
                report.findings.push(finding(&shown, error.span(), Rule::Unseen, what));
                continue;
            }
        };
        match strip::strip(&mut tree) {
            Some(elsewhere) => {
                for module in elsewhere {
                    tests.extend(test_paths(src, &path, &module));
                }
                let imports = Imports::of(&tree);
                sources.push((path, Source { shown, tree, imports }));
            }
            None => tests.push(path),
        }
    }
    sources.retain(|(path, _)| !tests.iter().any(|test| path.starts_with(test)));

    let imports: Vec<&Imports> = sources.iter().map(|(_, source)| &source.imports).collect();
    let (names, crate_wide) = Names::of_crate(&imports);
    for ((_, source), names) in sources.iter().zip(&names) {
        let judge = Judge {
            file: &source.shown,
            imports: &source.imports,
            names,
            crate_wide: &crate_wide,
            floats: rules::is_float_home(&source.shown),
            hashes: source.shown == rules::HASH_HOME,
            findings: &mut report.findings,
        };
        let mut reader = Reader { judge };
        reader.judge.imports();
        reader.visit_file(&source.tree);
        report.files += 1;
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error| format!("{} cannot be listed: {error}", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The file and the folder where a module's code may be that `declared_in` declares.
fn test_paths(src: &Path, declared_in: &Path, module: &strip::TestModule) -> Vec<PathBuf> {
    let folder = declared_in.parent().unwrap_or(src);
    let is_root = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| declared_in.ends_with(name))
        || folder == src.join("bin");
    let below = match (is_root, declared_in.file_stem()) {
        (false, Some(stem)) => folder.join(stem),
        _ => folder.to_path_buf(),
    };
    let (name, inside) = module.path.split_last().expect("a module has a name");
    let beside = inside.iter().fold(below, |folder, name| folder.join(name));
    match &module.file {
        // A path is meant from the file's own folder, unless inline modules lie between.
        Some(file) if inside.is_empty() => vec![folder.join(file)],
        Some(file) => vec![beside.join(file)],
        None => vec![beside.join(format!("{name}.rs")), beside.join(name)],
    }
}

fn finding(file: &str, span: Span, rule: Rule, what: String) -> Finding {
    let start = span.start();
    Finding {
        file: file.to_owned(),
        line: start.line,
        column: start.column + 1,
        rule,
        what,
        why: rule.why().to_owned(),
        fix: rule.fix().to_owned(),
    }
}

/// Decides on what is found in one file.
pub struct Judge<'a> {
    file: &'a str,
    imports: &'a Imports,
    names: &'a Names,
    crate_wide: &'a Names,
    /// Whether this file may hold floats.
    floats: bool,
    /// Whether this file may hold a hash map.
    hashes: bool,
    findings: &'a mut Vec<Finding>,
}

impl Judge<'_> {
    /// Breaks `rule`, whatever the file.
    pub fn breaks(&mut self, rule: Rule, span: Span, what: &str) {
        self.findings.push(finding(self.file, span, rule, what.to_owned()));
    }

    fn imports(&mut self) {
        for import in &self.imports.all {
            let written = match import.name {
                Some(_) => import.path.join("::"),
                None => format!("{}::*", import.path.join("::")),
            };
            self.standard(&import.path, &written, import.span, import.exported);
            self.float_type(&import.path, import.span);
            let leads = |path: &Segments| rules::leads_to_banned(path);
            if import.exported
                && self.names.resolve_all(&import.path, self.crate_wide).iter().any(leads)
            {
                let what = format!("`{written}` hands on a module of the standard library");
                self.breaks(Rule::Unseen, import.span, &what);
            }
        }
    }

    /// A path in code: a type, a function, a constant, a pattern.
    pub fn path(&mut self, path: &[String], span: Span) {
        self.standard(path, &path.join("::"), span, false);
        self.float_type(path, span);
        if let [.., float, function] = path
            && (rules::FLOATS.contains(&float.as_str()) || self.imports.floats.contains(float))
        {
            self.float_function(function, span);
        }
    }

    fn standard(&mut self, path: &[String], written: &str, span: Span, exported: bool) {
        let meant = self.names.resolve(path, self.crate_wide);
        let found = meant.iter().find_map(|meant| rules::banned(meant).map(|rule| (meant, rule)));
        let Some((meant, rule)) = found else { return };
        if rule == Rule::HashOrder && self.hashes && !exported {
            return;
        }
        let meant = format!("std::{}", meant.join("::"));
        if written == meant {
            self.breaks(rule, span, &format!("`{meant}`"));
        } else {
            self.breaks(rule, span, &format!("`{written}`, which is `{meant}`"));
        }
    }

    fn float_type(&mut self, path: &[String], span: Span) {
        let float = path.iter().find(|segment| rules::FLOATS.contains(&segment.as_str()));
        if let Some(float) = float
            && !self.floats
        {
            self.breaks(Rule::Float, span, &format!("the type `{float}`"));
        }
    }

    /// A number with a fraction, an exponent or a float's suffix.
    pub fn float_literal(&mut self, written: &str, span: Span) {
        if !self.floats {
            self.breaks(Rule::Float, span, &format!("the float `{written}`"));
        }
    }

    /// A function of a float type, by name: `f64::ln`.
    pub fn float_function(&mut self, name: &str, span: Span) {
        if rules::TRANSCENDENTAL.iter().any(|(known, _)| *known == name) {
            self.breaks(Rule::Libm, span, &format!("std's function `{name}`"));
        }
    }

    /// A method call: whose method it is cannot be seen, only its name and whether it has arguments.
    pub fn method(&mut self, name: &str, arguments: bool, span: Span) {
        let known = rules::TRANSCENDENTAL.contains(&(name, arguments));
        if known && (self.floats || !rules::AMBIGUOUS.contains(&name)) {
            self.breaks(Rule::Libm, span, &format!("std's method `.{name}()`"));
        }
        if self.hashes && rules::HASH_WALKS.contains(&name) {
            self.breaks(Rule::HashOrder, span, &format!("`.{name}()` in the home of the hash map"));
        }
    }

    /// A macro call, by the last segment of its name.
    pub fn called_macro(&mut self, name: &str, span: Span) {
        if let Some((_, rule)) = rules::BANNED_MACROS.iter().find(|(known, _)| *known == name) {
            self.breaks(*rule, span, &format!("`{name}!`"));
        }
    }
}

/// Walks a file and shows the judge what it must see.
struct Reader<'a> {
    judge: Judge<'a>,
}

impl Reader<'_> {
    fn no_unsafe(&mut self, token: Option<&Token![unsafe]>) {
        if let Some(token) = token {
            self.judge.breaks(Rule::Unsafe, token.span, "`unsafe`");
        }
    }

    fn no_async(&mut self, token: Option<&Token![async]>) {
        if let Some(token) = token {
            self.judge.breaks(Rule::Async, token.span, "`async`");
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_attribute(&mut self, attr: &'ast syn::Attribute) {
        // Doc comments are attributes too: nothing in one is code, but for these.
        if attr.path().is_ident("path") {
            self.judge.breaks(Rule::Unseen, attr.pound_token.span, "a module with `#[path]`");
        }
        if attr.path().is_ident("unsafe") {
            self.judge.breaks(Rule::Unsafe, attr.pound_token.span, "an `unsafe` attribute");
        }
    }

    fn visit_item_use(&mut self, _: &'ast syn::ItemUse) {} // Judged with the imports.

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments =
            path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.judge.path(&segments, first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, expr: &'ast syn::ExprPath) {
        if expr.qself.is_some()
            && let Some(last) = expr.path.segments.last()
        {
            self.judge.float_function(&last.ident.to_string(), last.ident.span()); // <f64>::ln
        }
        visit::visit_expr_path(self, expr);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.unraw().to_string();
        self.judge.method(&name, !call.args.is_empty(), call.method.span());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_for_loop(&mut self, walk: &'ast syn::ExprForLoop) {
        let mut over = &*walk.expr;
        while let Expr::Reference(reference) = over {
            over = &reference.expr;
        }
        if self.judge.hashes && matches!(over, Expr::Field(_)) {
            let what = "a walk over a field in the home of the hash map";
            self.judge.breaks(Rule::HashOrder, walk.for_token.span, what);
        }
        visit::visit_expr_for_loop(self, walk);
    }

    fn visit_lit_float(&mut self, literal: &'ast syn::LitFloat) {
        self.judge.float_literal(&literal.to_string(), literal.span());
    }

    fn visit_lit_int(&mut self, literal: &'ast syn::LitInt) {
        if rules::FLOATS.contains(&literal.suffix()) {
            self.judge.float_literal(&literal.to_string(), literal.span());
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(last) = call.path.segments.last() {
            self.judge.called_macro(&last.ident.to_string(), last.ident.span());
        }
        visit::visit_macro(self, call);
    }

    /// The insides of macros, and whatever the parser kept as it was.
    fn visit_token_stream(&mut self, stream: &'ast TokenStream) {
        tokens::scan(stream.clone(), &mut self.judge);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.no_async(signature.asyncness.as_ref());
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, expr: &'ast syn::ExprAsync) {
        self.no_async(Some(&expr.async_token));
        visit::visit_expr_async(self, expr);
    }

    fn visit_expr_closure(&mut self, expr: &'ast syn::ExprClosure) {
        self.no_async(expr.asyncness.as_ref());
        visit::visit_expr_closure(self, expr);
    }

    fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
        self.judge.breaks(Rule::Async, expr.await_token.span, "`.await`");
        visit::visit_expr_await(self, expr);
    }

    fn visit_safety(&mut self, safety: &'ast Safety) {
        if let Safety::Unsafe(token) = safety {
            self.no_unsafe(Some(token));
        }
    }

    fn visit_expr_unsafe(&mut self, expr: &'ast syn::ExprUnsafe) {
        self.no_unsafe(Some(&expr.unsafe_token));
        visit::visit_expr_unsafe(self, expr);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.no_unsafe(item.unsafety.as_ref());
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.no_unsafe(item.unsafety.as_ref());
        visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.no_unsafe(item.unsafety.as_ref());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.no_unsafe(item.unsafety.as_ref());
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_type_fn_ptr(&mut self, item: &'ast syn::TypeFnPtr) {
        self.no_unsafe(item.unsafety.as_ref());
        visit::visit_type_fn_ptr(self, item);
    }
}
