//! Reads what stands inside a macro call or definition, where there is no syntax tree.
//!
//! Tokens go in; the paths, method calls, macro calls, floats and keywords that can be recognised
//! among them are shown to the judge. A `use` item inside a macro is seen as the paths it names; the
//! names it makes are not followed.

use super::rules::{self, Rule};
use super::source::Judge;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// Shows the judge what is in `stream`.
pub fn scan(stream: TokenStream, judge: &mut Judge) {
    Scan { judge }.within(stream, &[]);
}

struct Scan<'a, 'b> {
    judge: &'a mut Judge<'b>,
}

impl Scan<'_, '_> {
    /// `above` is the path in whose braces we are: `std` in `std::{fs, time::Instant}`.
    fn within(&mut self, stream: TokenStream, above: &[String]) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.within(group.stream(), &[]),
                TokenTree::Literal(literal) => {
                    if !is_after_dot(&tokens, at) {
                        self.literal(literal);
                    }
                }
                TokenTree::Ident(_) if is_after_dot(&tokens, at) => self.member(&tokens, at),
                TokenTree::Ident(_) => {
                    at = self.path(&tokens, at, above);
                    continue;
                }
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    fn literal(&mut self, literal: &proc_macro2::Literal) {
        let written = literal.to_string();
        let float = match syn::Lit::new(literal.clone()) {
            syn::Lit::Float(_) => true,
            syn::Lit::Int(int) => rules::FLOATS.contains(&int.suffix()),
            _ => false,
        };
        if float {
            self.judge.float_literal(&written, literal.span());
        }
    }

    /// What follows a dot: a field, a method, `await`.
    fn member(&mut self, tokens: &[TokenTree], at: usize) {
        let TokenTree::Ident(ident) = &tokens[at] else { return };
        if ident == "await" {
            self.judge.breaks(Rule::Async, ident.span(), "`.await`");
        }
        if let Some(TokenTree::Group(group)) = tokens.get(at + 1)
            && group.delimiter() == Delimiter::Parenthesis
        {
            let arguments = !group.stream().is_empty();
            self.judge.method(&ident.unraw().to_string(), arguments, ident.span());
        }
    }

    /// A path that begins at `at`; returns where it ends.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize, above: &[String]) -> usize {
        let begin = at;
        let span = tokens[at].span();
        let mut path = above.to_vec();
        while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
            match ident.to_string().as_str() {
                "unsafe" => self.judge.breaks(Rule::Unsafe, span, "`unsafe`"),
                "async" => self.judge.breaks(Rule::Async, span, "`async`"),
                _ => path.push(ident.unraw().to_string()),
            }
            at += 1;
            if !is_separator(tokens, at) {
                break;
            }
            match tokens.get(at + 2) {
                Some(TokenTree::Ident(_)) => at += 2,
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.within(group.stream(), &path);
                    return at + 3;
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    path.push("*".to_owned());
                    at += 3;
                    break;
                }
                _ => break, // A turbofish.
            }
        }
        let is = |at: usize, what: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == what);
        if let Some(last) = path.last() {
            // `name!(` and not `name != `.
            let call = is(at, '!') && matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
            if call {
                self.judge.called_macro(last, span);
            }
            // `<f64>::ln`
            if begin >= 3 && is_separator(tokens, begin - 2) && is(begin - 3, '>') {
                self.judge.float_function(last, span);
            }
            self.judge.path(&path, span);
        }
        at
    }
}

/// Whether the token follows a dot, and not the two of a range.
fn is_after_dot(tokens: &[TokenTree], at: usize) -> bool {
    let dot = |back: usize| match at.checked_sub(back).map(|at| &tokens[at]) {
        Some(TokenTree::Punct(punct)) if punct.as_char() == '.' => Some(punct.spacing()),
        _ => None,
    };
    dot(1).is_some() && dot(2) != Some(Spacing::Joint)
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    [at, at + 1]
        .into_iter()
        .all(|at| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':'))
}
