//! Two macros that lay out records and variants: written, read, checked and given back from one list of fields.

/// A record: its fields one after another, read in place by a view with a method for each.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident = $draft:path { $($field:ident: $column:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'p> {
            bytes: &'p [u8],
            image: &'p $crate::plan::image::Image,
        }

        impl<'p> $name<'p> {
            $crate::plan::record::record!(@fields 'p, $draft, [0], $($field: $column,)*);
        }

        impl $crate::plan::column::Column for $name<'static> {
            const WIDTH: usize = 0 $(+ <$column as $crate::plan::column::Column>::WIDTH)*;
            type Draft = $draft;
            type Value<'p> = $name<'p>;

            fn write(
                draft: &$draft,
                record: &mut Vec<u8>,
                writer: &mut $crate::plan::encode::Writer,
            ) {
                $(<$column as $crate::plan::column::Column>::write(&draft.$field, record, writer);)*
            }

            fn read<'p>(bytes: &'p [u8], image: &'p $crate::plan::image::Image) -> $name<'p> {
                $name { bytes, image }
            }

            fn own(value: $name<'_>) -> $draft {
                $draft {
                    $($field: <$column as $crate::plan::column::Column>::own(value.$field()),)*
                }
            }

            fn verify(
                bytes: &[u8],
                check: &mut $crate::plan::verify::Check<'_>,
            ) -> Result<(), $crate::plan::verify::Flaw> {
                let mut rest = bytes;
                $(
                    <$column as $crate::plan::column::Column>::verify(rest, check)?;
                    rest = rest
                        .get(<$column as $crate::plan::column::Column>::WIDTH..)
                        .unwrap_or_default();
                )*
                let _ = rest;
                Ok(())
            }
        }
    };

    (@fields $life:lifetime, $draft:path, [$offset:expr],) => {};
    (@fields $life:lifetime, $draft:path, [$offset:expr], $field:ident: $column:ty, $($rest:tt)*) => {
        #[doc = concat!("As `", stringify!($field), "` of [`", stringify!($draft), "`].")]
        #[must_use]
        pub fn $field(&self) -> <$column as $crate::plan::column::Column>::Value<$life> {
            let bytes = self.bytes.get($offset..).unwrap_or_default();
            <$column as $crate::plan::column::Column>::read(bytes, self.image)
        }

        $crate::plan::record::record!(
            @fields $life, $draft,
            [$offset + <$column as $crate::plan::column::Column>::WIDTH],
            $($rest)*
        );
    };
}

/// Variants: a tag, then the fields of that variant, as wide as the widest.
macro_rules! variants {
    (
        $(#[$doc:meta])* $name:ident: $draft:ident => $view:ident $(<$generic:lifetime>)? {
            $($tag:literal = $variant:ident { $($field:tt: $local:ident as $column:ty),* },)*
        }
    ) => {
        $(#[$doc])*
        pub enum $name {}

        impl $crate::plan::column::Column for $name {
            const WIDTH: usize = {
                let mut widest = 0;
                $(
                    let width = 0 $(+ <$column as $crate::plan::column::Column>::WIDTH)*;
                    if width > widest {
                        widest = width;
                    }
                )*
                1 + widest
            };
            type Draft = $draft;
            type Value<'p> = $view $(<$generic>)?;

            fn write(
                draft: &$draft,
                record: &mut Vec<u8>,
                writer: &mut $crate::plan::encode::Writer,
            ) {
                let end = record.len() + Self::WIDTH;
                match draft {
                    $($draft::$variant { $($field: $local),* } => {
                        record.push($tag);
                        $(<$column as $crate::plan::column::Column>::write($local, record, writer);)*
                    })*
                }
                let _ = writer;
                record.resize(end, 0);
            }

            fn read<'p>(
                bytes: &'p [u8],
                image: &'p $crate::plan::image::Image,
            ) -> Self::Value<'p> {
                let rest = bytes.get(1..).unwrap_or_default();
                let _ = image;
                $crate::plan::record::variants!(
                    @read bytes.first().copied().unwrap_or_default(), rest, image, $view,
                    $($tag = $variant { $($field: $local as $column),* },)*
                )
            }

            fn own(value: Self::Value<'_>) -> $draft {
                match value {
                    $($view::$variant { $($field: $local),* } => $draft::$variant {
                        $($field: <$column as $crate::plan::column::Column>::own($local)),*
                    },)*
                }
            }

            fn verify(
                bytes: &[u8],
                check: &mut $crate::plan::verify::Check<'_>,
            ) -> Result<(), $crate::plan::verify::Flaw> {
                let Some((tag, rest)) = bytes.split_first() else {
                    return Err($crate::plan::verify::Flaw::Tag);
                };
                let _ = &check;
                let mut _rest = rest;
                match tag {
                    $($tag => {
                        $(
                            <$column as $crate::plan::column::Column>::verify(_rest, check)?;
                            _rest = _rest
                                .get(<$column as $crate::plan::column::Column>::WIDTH..)
                                .unwrap_or_default();
                        )*
                        Ok(())
                    })*
                    _ => Err($crate::plan::verify::Flaw::Tag),
                }
            }
        }
    };

    // The first variant also stands for a tag that no verifier passed.
    (
        @read $tag:expr, $rest:ident, $image:ident, $view:ident,
        $first:literal = $first_variant:ident { $($first_field:tt: $first_local:ident as $first_column:ty),* },
        $($number:literal = $variant:ident { $($field:tt: $local:ident as $column:ty),* },)*
    ) => {
        match $tag {
            $($number => {
                let mut _rest = $rest;
                $(
                    let $local = <$column as $crate::plan::column::Column>::read(_rest, $image);
                    _rest = _rest
                        .get(<$column as $crate::plan::column::Column>::WIDTH..)
                        .unwrap_or_default();
                )*
                $view::$variant { $($field: $local),* }
            })*
            _ => {
                let mut _rest = $rest;
                $(
                    let $first_local =
                        <$first_column as $crate::plan::column::Column>::read(_rest, $image);
                    _rest = _rest
                        .get(<$first_column as $crate::plan::column::Column>::WIDTH..)
                        .unwrap_or_default();
                )*
                $view::$first_variant { $($first_field: $first_local),* }
            }
        }
    };
}

pub(crate) use {record, variants};
