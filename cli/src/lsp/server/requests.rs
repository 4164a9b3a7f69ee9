//! Requests about documents: each reads its parameters, and answers from the newest text.

use lsp_server::ErrorCode;
use lsp_types::{
    CodeActionParams, CompletionList, CompletionParams, DocumentFormattingParams,
    DocumentHighlightParams, DocumentRangeFormattingParams, DocumentSymbolParams,
    ExecuteCommandParams, FoldingRangeParams, GotoDefinitionParams, HoverParams, InlayHintParams,
    ReferenceParams, RenameParams, SemanticTokens, SemanticTokensParams, SignatureHelpParams,
    TextDocumentIdentifier, TextDocumentPositionParams,
};
use serde::Serialize;
use serde_json::{Value, json};
use waypost_compiler::standard;
use waypost_lang::codes;

use super::{Refusal, Server, read};
use crate::lsp::view::View;
use crate::lsp::{
    actions, completion, formatting, hints, hover, navigation, outline, rename, signature, tokens,
    uri,
};

impl Server {
    /// The result of a request.
    pub(super) fn answer(&self, method: &str, params: Value) -> Result<Value, Refusal> {
        match method {
            "textDocument/hover" => {
                let params: HoverParams = read(params)?;
                self.at(&params.text_document_position_params, hover::hover)
            }
            "textDocument/completion" => {
                let params: CompletionParams = read(params)?;
                self.at(&params.text_document_position, |view, at| CompletionList {
                    is_incomplete: false,
                    items: completion::complete(view, at),
                })
            }
            "textDocument/signatureHelp" => {
                let params: SignatureHelpParams = read(params)?;
                self.at(&params.text_document_position_params, signature::help)
            }
            "textDocument/definition" => {
                let params: GotoDefinitionParams = read(params)?;
                self.at(
                    &params.text_document_position_params,
                    navigation::definition,
                )
            }
            "textDocument/documentHighlight" => {
                let params: DocumentHighlightParams = read(params)?;
                self.at(
                    &params.text_document_position_params,
                    navigation::highlights,
                )
            }
            "textDocument/references" => self.references(read(params)?),
            "textDocument/prepareRename" => self.prepare_rename(&read(params)?),
            "textDocument/rename" => self.rename(&read(params)?),
            _ => self.whole_document(method, params),
        }
    }

    /// Requests that name no position.
    fn whole_document(&self, method: &str, params: Value) -> Result<Value, Refusal> {
        match method {
            "textDocument/documentSymbol" => {
                let params: DocumentSymbolParams = read(params)?;
                self.on(&params.text_document, outline::symbols)
            }
            "textDocument/foldingRange" => {
                let params: FoldingRangeParams = read(params)?;
                self.on(&params.text_document, outline::folds)
            }
            "textDocument/codeAction" => {
                let params: CodeActionParams = read(params)?;
                self.on(&params.text_document, |view| {
                    actions::actions(view, &params)
                })
            }
            "textDocument/formatting" => {
                let params: DocumentFormattingParams = read(params)?;
                self.on(&params.text_document, formatting::document)
            }
            "textDocument/rangeFormatting" => {
                let params: DocumentRangeFormattingParams = read(params)?;
                self.on(&params.text_document, |view| {
                    formatting::range(view, params.range)
                })
            }
            "textDocument/inlayHint" => {
                let params: InlayHintParams = read(params)?;
                self.on(&params.text_document, |view| {
                    hints::hints(view, params.range)
                })
            }
            "textDocument/semanticTokens/full" => {
                let params: SemanticTokensParams = read(params)?;
                self.on(&params.text_document, |view| SemanticTokens {
                    result_id: None,
                    data: tokens::full(view),
                })
            }
            "workspace/executeCommand" => command(&read(params)?),
            "waypost/pack" => pack(&params),
            _ => Err(Refusal::new(
                ErrorCode::MethodNotFound,
                format!("`{method}` is not known"),
            )),
        }
    }

    /// The document in each compilation that holds it. A document that is not open is no document.
    fn views(&self, document: &TextDocumentIdentifier) -> Vec<View<'_>> {
        let name = uri::name(document.uri.as_str());
        match self.project.document(&name) {
            Some(_) => View::all(&self.project, &name, self.client),
            None => Vec::new(),
        }
    }

    fn on<T: Serialize>(
        &self,
        document: &TextDocumentIdentifier,
        answer: impl Fn(&View<'_>) -> T,
    ) -> Result<Value, Refusal> {
        result(self.views(document).first().map(answer))
    }

    fn at<T: Serialize>(
        &self,
        place: &TextDocumentPositionParams,
        answer: impl Fn(&View<'_>, lsp_types::Position) -> T,
    ) -> Result<Value, Refusal> {
        let at = place.position;
        self.on(&place.text_document, |view| answer(view, at))
    }

    fn references(&self, params: ReferenceParams) -> Result<Value, Refusal> {
        let place = params.text_document_position;
        let views = self.views(&place.text_document);
        let declared = params.context.include_declaration;
        result(navigation::references(&views, place.position, declared))
    }

    fn prepare_rename(&self, place: &TextDocumentPositionParams) -> Result<Value, Refusal> {
        let views = self.views(&place.text_document);
        let Some(view) = views.first() else {
            return Ok(Value::Null);
        };
        result(rename::prepare(view, place.position).map_err(failed)?)
    }

    fn rename(&self, params: &RenameParams) -> Result<Value, Refusal> {
        let place = &params.text_document_position;
        let views = self.views(&place.text_document);
        let edits = rename::rename(&views, place.position, &params.new_name).map_err(failed)?;
        Ok(json!({ "changes": edits }))
    }
}

/// The text of a pack of the standard library, for clients that show it.
fn pack(params: &Value) -> Result<Value, Refusal> {
    let uri = params.get("uri").and_then(Value::as_str).unwrap_or("");
    let name = uri.strip_prefix(uri::STANDARD).unwrap_or(uri);
    let text = standard::pack(name.trim_start_matches('/'));
    text.map(Value::from).ok_or_else(|| {
        Refusal::new(
            ErrorCode::InvalidParams,
            format!("the standard library has no pack `{name}`"),
        )
    })
}

/// `waypost.explain CODE`: the explanation, in Markdown.
fn command(params: &ExecuteCommandParams) -> Result<Value, Refusal> {
    let argument = params.arguments.first().and_then(Value::as_str);
    let code = argument.and_then(codes::find);
    match (params.command.as_str(), code) {
        (actions::EXPLAIN, Some(code)) => Ok(code.explanation.into()),
        (actions::EXPLAIN, None) => Err(Refusal::new(
            ErrorCode::InvalidParams,
            "no such code: `waypost explain` lists them all",
        )),
        (other, _) => Err(Refusal::new(
            ErrorCode::InvalidParams,
            format!("no command is called `{other}`"),
        )),
    }
}

fn failed(message: String) -> Refusal {
    Refusal::new(ErrorCode::RequestFailed, message)
}

fn result(answer: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer)
        .map_err(|error| Refusal::new(ErrorCode::InternalError, error.to_string()))
}
