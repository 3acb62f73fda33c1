//! What stands in the attribute's brackets.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprArray, ExprLit, Ident, Lit, LitBool, LitInt, LitStr, Token};

/// `scenario = "ru/whatsapp-2026", phase = "full-block"`, and so on.
pub(crate) struct Settings {
    scenario: LitStr,
    phase: Option<LitStr>,
    vantage: Option<LitStr>,
    library: Option<LitStr>,
    set: Vec<LitStr>,
    seed: Option<u64>,
    root: bool,
    skip: bool,
}

const KEYS: [&str; 8] = ["scenario", "phase", "vantage", "library", "set", "seed", "root", "unsupported"];

/// One `key = value`.
struct Setting {
    key: Ident,
    value: Expr,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self { key, value: input.parse()? })
    }
}

impl Parse for Settings {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let nowhere = input.span();
        let mut scenario = None;
        let mut found = Self {
            scenario: LitStr::new("", nowhere),
            phase: None,
            vantage: None,
            library: None,
            set: Vec::new(),
            seed: None,
            root: false,
            skip: false,
        };
        let mut seen: Vec<Ident> = Vec::new();
        for Setting { key, value } in Punctuated::<Setting, Token![,]>::parse_terminated(input)? {
            if seen.contains(&key) {
                return Err(Error::new(key.span(), format!("`{key}` is set twice")));
            }
            match key.to_string().as_str() {
                "scenario" => scenario = Some(text(&value)?),
                "phase" => found.phase = Some(text(&value)?),
                "vantage" => found.vantage = Some(text(&value)?),
                "library" => found.library = Some(text(&value)?),
                "set" => found.set = texts(&value)?,
                "seed" => found.seed = Some(number(&value)?),
                "root" => found.root = yes_or_no(&value)?,
                "unsupported" => found.skip = skip(&text(&value)?)?,
                other => return Err(Error::new(key.span(), unknown(other))),
            }
            seen.push(key);
        }
        found.scenario = scenario.ok_or_else(|| {
            Error::new(Span::call_site(), "which scenario? write #[roadblock::test(scenario = \"ru/whatsapp-2026\")]; `roadblock list` names them")
        })?;
        Ok(found)
    }
}

/// As a value of `roadblock_testing::expansion::Seat`.
impl ToTokens for Settings {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        let Self { scenario, set, root, .. } = self;
        let [phase, vantage, library] =
            [&self.phase, &self.vantage, &self.library].map(|value| optional(value.as_ref()));
        let seed = optional(self.seed.as_ref());
        let unsupported = if self.skip { quote!(Skip) } else { quote!(Fail) };
        tokens.extend(quote! {
            ::roadblock::expansion::Seat {
                scenario: #scenario,
                phase: #phase,
                vantage: #vantage,
                library: #library,
                set: &[#(#set),*],
                seed: #seed,
                root: #root,
                unsupported: ::roadblock::expansion::Unsupported::#unsupported,
            }
        });
    }
}

fn optional(value: Option<&impl ToTokens>) -> proc_macro2::TokenStream {
    value.map_or_else(|| quote!(::core::option::Option::None), |value| quote!(::core::option::Option::Some(#value)))
}

fn unknown(key: &str) -> String {
    let near = KEYS.iter().max_by(|one, other| strsim::jaro(one, key).total_cmp(&strsim::jaro(other, key)));
    match near {
        Some(near) if strsim::jaro(near, key) > 0.7 => format!("there is no `{key}`; did you mean `{near}`?"),
        _ => format!("there is no `{key}`; there are: {}", KEYS.join(", ")),
    }
}

fn text(value: &Expr) -> syn::Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(Error::new(other.span(), "write a string here")),
    }
}

fn texts(value: &Expr) -> syn::Result<Vec<LitStr>> {
    match value {
        Expr::Array(ExprArray { elems, .. }) => elems.iter().map(text).collect(),
        other => Err(Error::new(other.span(), "write a list of strings here, as `[\"NAME=VALUE\"]`")),
    }
}

fn number(value: &Expr) -> syn::Result<u64> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => LitInt::base10_parse(number),
        other => Err(Error::new(other.span(), "write a whole number here")),
    }
}

fn yes_or_no(value: &Expr) -> syn::Result<bool> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Bool(LitBool { value, .. }), .. }) => Ok(*value),
        other => Err(Error::new(other.span(), "write `true` or `false` here")),
    }
}

fn skip(word: &LitStr) -> syn::Result<bool> {
    match word.value().as_str() {
        "skip" => Ok(true),
        "fail" => Ok(false),
        _ => Err(Error::new(word.span(), "a machine that cannot run labs: \"fail\" (as if not written) or \"skip\"")),
    }
}
