//! What a chat says in one part, as a block of Converse: text, images and documents.

use std::collections::HashSet;

use super::super::Untranslatable;
use super::super::chat;
use super::super::converse::{Block, Media, Message, Source};
use super::super::json::Text;

/// A text; one of nothing but spaces is refused there, and says nothing.
pub(super) fn text(text: Text<'_>) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then(|| Block {
        text: Some(text),
        ..Block::default()
    })
}

pub(super) fn block(part: chat::Part<'_>) -> Result<Option<Block<'_>>, Untranslatable> {
    let words = part.text.or(part.refusal);
    match (&*part.r#type, words, part.image_url, part.file) {
        ("text" | "refusal" | "input_text", words, ..) => Ok(words.and_then(text)),
        ("image_url", _, Some(image), _) => {
            let (kind, bytes) = data(&image.url)
                .ok_or_else(|| Untranslatable::no_counterpart("an image that is not sent along"))?;
            let format = match kind.as_str() {
                "image/png" => "png",
                "image/jpeg" | "image/jpg" => "jpeg",
                "image/gif" => "gif",
                "image/webp" => "webp",
                _ => {
                    return Err(Untranslatable::no_counterpart(format!(
                        "an image in `{kind}`"
                    )));
                }
            };
            Ok(Some(Block {
                image: Some(media(format, None, bytes)),
                ..Block::default()
            }))
        }
        ("file", _, _, Some(file)) => document(file).map(Some),
        (kind, ..) => Err(Untranslatable::no_counterpart(format!(
            "content of type `{kind}`"
        ))),
    }
}

fn media(format: &'static str, name: Option<Text<'static>>, bytes: String) -> Media<'static> {
    Media {
        format: format.into(),
        name,
        source: Source {
            bytes: bytes.into(),
        },
    }
}

/// Media type and base64 of `data:image/png;base64,…`.
fn data(url: &str) -> Option<(String, String)> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((kind.to_ascii_lowercase(), data.to_owned()))
}

fn document(file: chat::File<'_>) -> Result<Block<'static>, Untranslatable> {
    let sent = file.file_data.as_deref().and_then(data);
    let Some((kind, bytes)) = sent else {
        return Err(Untranslatable::no_counterpart(
            "a document that is not sent along",
        ));
    };
    let format = match kind.as_str() {
        "application/pdf" => "pdf",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        _ => {
            return Err(Untranslatable::no_counterpart(format!(
                "a document in `{kind}`"
            )));
        }
    };
    // Letters, digits, hyphens and brackets are all that a name may have there.
    let name = file.filename.as_deref().unwrap_or("document");
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    let name: String = name
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '(' | ')' | '[' | ']' => character,
            _ => '-',
        })
        .collect();
    Ok(Block {
        document: Some(media(format, Some(name.into()), bytes)),
        ..Block::default()
    })
}

/// A document is sent with a text, and no two of a call have one name.
pub(super) fn settle_documents(turns: &mut [Message<'_>]) {
    let mut names = HashSet::new();
    for turn in turns {
        let mut alone = false;
        for block in &mut turn.content {
            let result = block.tool_result.as_mut();
            let within = result.into_iter().flat_map(|result| &mut result.content);
            let within = within.filter_map(|block| block.document.as_mut());
            alone |= block.document.is_some();
            for document in block.document.iter_mut().chain(within) {
                let name = document.name.as_deref().unwrap_or("document").to_owned();
                let mut unique = name.clone();
                let mut number = 1_u32;
                while !names.insert(unique.clone()) {
                    number += 1;
                    unique = format!("{name}-{number}");
                }
                document.name = Some(unique.into());
            }
        }
        alone &= turn.content.iter().all(|block| block.text.is_none());
        turn.content
            .extend(text("(a document)".into()).filter(|_| alone));
    }
}

/// What the assistant is to go on from must not end in spaces.
pub(super) fn trim_end(blocks: &mut [Block<'_>]) {
    if let Some(text) = blocks.last_mut().and_then(|block| block.text.as_mut()) {
        let trimmed = text.trim_end();
        if trimmed.len() < text.len() {
            *text = trimmed.to_owned().into();
        }
    }
}
