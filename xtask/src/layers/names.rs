//! What the names in a source file stand for, as far as the standard library is concerned.
//!
//! The `use` items of a crate go in; for a path out of its code come the standard paths it may mean,
//! without their root (`std`, `core` and `alloc` are one here). Scopes inside a file are not told
//! apart: a name that stands for something forbidden anywhere in a file is suspicious everywhere in
//! it. Names that lead nowhere near the standard library are forgotten.

use super::rules;
use proc_macro2::Span;
use std::collections::{BTreeMap, BTreeSet};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Ident, UseTree};

/// A path's segments.
pub type Segments = Vec<String>;

/// One name, or all of a module's, brought in by a `use` item.
#[derive(Clone, Debug)]
pub struct Import {
    /// What is brought in.
    pub path: Segments,
    /// The name it gets here, or none for all names below `path`.
    pub name: Option<String>,
    /// Whether others can take it from here.
    pub exported: bool,
    /// Where it is written.
    pub span: Span,
}

/// Every import of a file, and the other names that it gives to floats.
#[derive(Clone, Default, Debug)]
pub struct Imports {
    /// In the order they are written.
    pub all: Vec<Import>,
    /// `type Real = f64;` makes `Real` one of these.
    pub floats: BTreeSet<String>,
}

impl Imports {
    /// Those of a file without its tests.
    pub fn of(file: &syn::File) -> Self {
        let mut imports = Self::default();
        imports.visit_file(file);
        imports
    }

    fn tree(&mut self, tree: &UseTree, above: &Segments, exported: bool) {
        let below = |ident: &Ident| {
            let mut path = above.clone();
            path.push(ident.unraw().to_string());
            path
        };
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &below(&path.ident), exported),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, above, exported);
                }
            }
            UseTree::Glob(glob) => {
                let span = glob.star_token.spans[0];
                self.all.push(Import { path: above.clone(), name: None, exported, span });
            }
            UseTree::Name(name) => self.named(&name.ident, &name.ident, above, exported),
            UseTree::Rename(name) => self.named(&name.ident, &name.rename, above, exported),
        }
    }

    fn named(&mut self, ident: &Ident, name: &Ident, above: &Segments, exported: bool) {
        let mut path = above.clone();
        if ident != "self" || above.is_empty() {
            path.push(ident.unraw().to_string());
        }
        // `use std::time::{self}` names it `time`.
        let name =
            if name == "self" { path.last().cloned() } else { Some(name.unraw().to_string()) };
        self.all.push(Import { path, name, exported, span: ident.span() });
    }
}

impl Visit<'_> for Imports {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        let exported = !matches!(item.vis, syn::Visibility::Inherited);
        self.tree(&item.tree, &Vec::new(), exported);
    }

    fn visit_item_extern_crate(&mut self, item: &syn::ItemExternCrate) {
        let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        let exported = !matches!(item.vis, syn::Visibility::Inherited);
        self.named(&item.ident, name, &Vec::new(), exported);
    }

    fn visit_item_type(&mut self, item: &syn::ItemType) {
        if let syn::Type::Path(path) = &*item.ty
            && let Some(last) = path.path.segments.last()
            && rules::FLOATS.contains(&last.ident.to_string().as_str())
        {
            self.floats.insert(item.ident.unraw().to_string());
        }
        visit::visit_item_type(self, item);
    }
}

/// The names of one file that lead into the standard library.
#[derive(Clone, Default, Debug)]
pub struct Names {
    named: BTreeMap<String, BTreeSet<Segments>>,
    globs: BTreeSet<Segments>,
    /// Whether it takes all names of another module of its crate.
    takes_all: bool,
}

impl Names {
    /// Those of every file of a crate, in the order given, and those of all of them together.
    pub fn of_crate(files: &[&Imports]) -> (Vec<Self>, Self) {
        let mut names = vec![Self::default(); files.len()];
        let mut crate_wide = Self::default();
        // An alias of an alias of an alias: few take more steps than these, and cycles must end.
        for _ in 0..5 {
            for (imports, names) in files.iter().zip(&mut names) {
                for import in &imports.all {
                    names.takes_all |= import.name.is_none()
                        && import.path.first().is_some_and(|root| is_own(root));
                    for path in names.resolve_all(&import.path, &crate_wide) {
                        match &import.name {
                            Some(name) => names.named.entry(name.clone()).or_default().insert(path),
                            None => names.globs.insert(path),
                        };
                    }
                }
            }
            for names in &names {
                for (name, paths) in &names.named {
                    crate_wide.named.entry(name.clone()).or_default().extend(paths.iter().cloned());
                }
                crate_wide.globs.extend(names.globs.iter().cloned());
            }
        }
        (names, crate_wide)
    }

    /// The standard paths that `path` may mean here, unless an import that is itself forbidden leads
    /// there: that one is a finding already, and one is enough.
    pub fn resolve(&self, path: &[String], crate_wide: &Self) -> Vec<Segments> {
        self.candidates(path, crate_wide, |through| rules::banned(through).is_none())
    }

    /// The standard paths that `path` may mean here.
    pub fn resolve_all(&self, path: &[String], crate_wide: &Self) -> Vec<Segments> {
        self.candidates(path, crate_wide, |_| true)
    }

    fn candidates(
        &self,
        path: &[String],
        crate_wide: &Self,
        follow: impl Fn(&[String]) -> bool,
    ) -> Vec<Segments> {
        let Some(root) = path.first() else { return Vec::new() };
        let mut found = Vec::new();
        if is_standard(root) {
            found.push(path[1..].to_vec());
        }
        if is_own(root) {
            // `super::clock::Instant`: any module on the way may have imported the rest.
            for at in 1..path.len() {
                crate_wide.join(&path[at..], &follow, &mut found);
            }
        } else {
            self.join(path, &follow, &mut found);
            if self.takes_all {
                crate_wide.join(path, &follow, &mut found);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn join(&self, path: &[String], follow: impl Fn(&[String]) -> bool, found: &mut Vec<Segments>) {
        let named = self.named.get(&path[0]).into_iter().flatten();
        for start in named.filter(|start| follow(start)) {
            found.push([start, &path[1..]].concat());
        }
        for start in self.globs.iter().filter(|start| follow(start)) {
            found.push([start, path].concat());
        }
    }
}

fn is_standard(root: &str) -> bool {
    matches!(root, "std" | "core" | "alloc")
}

fn is_own(root: &str) -> bool {
    matches!(root, "crate" | "self" | "super")
}
