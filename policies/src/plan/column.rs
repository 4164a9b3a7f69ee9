//! How one field is written, read in place and checked.
//!
//! A column has a fixed width; what does not fit (strings, lists, code) lies elsewhere and the column holds its
//! range. Reading never fails and never panics: on bytes that no verifier passed it gives empty values.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::draft::Origin;
use super::encode::Writer;
use super::image::Image;
use super::rows::Rows;
use super::verify::{Check, Flaw};
use super::view::File;
use crate::cost::{self, Price, Rates, SORTS, Service, Sort};
use crate::money::NanoDollars;
use crate::plan::Code;

/// A field's layout.
pub trait Column {
    /// Its bytes in a record.
    const WIDTH: usize;
    /// What a draft holds.
    type Draft;
    /// What a view gives.
    type Value<'p>;

    /// Appends it to the record.
    fn write(draft: &Self::Draft, record: &mut Vec<u8>, writer: &mut Writer);
    /// Reads it in place.
    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self::Value<'p>;
    /// Back to what a draft holds.
    fn own(value: Self::Value<'_>) -> Self::Draft;
    /// Whether its bytes mean something.
    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw>;
}

/// A column that is the record of a section.
pub trait Row: Column {
    /// The section's number.
    const SECTION: usize;
}

/// The bytes at the start of `bytes`, zeros where there are too few.
pub(super) fn leading<const WIDTH: usize>(bytes: &[u8]) -> [u8; WIDTH] {
    bytes.first_chunk().copied().unwrap_or([0; WIDTH])
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Column for $number {
            const WIDTH: usize = size_of::<$number>();
            type Draft = $number;
            type Value<'p> = $number;

            fn write(draft: &$number, record: &mut Vec<u8>, _: &mut Writer) {
                record.extend_from_slice(&draft.to_le_bytes());
            }

            fn read<'p>(bytes: &'p [u8], _: &'p Image) -> $number {
                <$number>::from_le_bytes(leading(bytes))
            }

            fn own(value: $number) -> $number {
                value
            }

            fn verify(_: &[u8], _: &mut Check<'_>) -> Result<(), Flaw> {
                Ok(())
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, i64, f64);

impl Column for bool {
    const WIDTH: usize = 1;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, _: &mut Writer) {
        record.push(u8::from(*draft));
    }

    fn read<'p>(bytes: &'p [u8], _: &'p Image) -> Self {
        bytes.first() == Some(&1)
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(bytes: &[u8], _: &mut Check<'_>) -> Result<(), Flaw> {
        match bytes.first() {
            Some(0 | 1) => Ok(()),
            _ => Err(Flaw::Tag),
        }
    }
}

impl Column for NanoDollars {
    const WIDTH: usize = 8;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, writer: &mut Writer) {
        i64::write(&draft.0, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self {
        Self(i64::read(bytes, image))
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        if i64::read(bytes, check.image()) < 0 {
            return Err(Flaw::NegativeMoney);
        }
        Ok(())
    }
}

/// The rates of what is said, by sort.
impl Column for Rates {
    const WIDTH: usize = SORTS * Rate::WIDTH;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, writer: &mut Writer) {
        for sort in Sort::ALL {
            Rate::write(&draft.said(sort), record, writer);
        }
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self {
        let mut rates = bytes.chunks(Rate::WIDTH);
        Self::new(Sort::ALL.map(|_| Rate::read(rates.next().unwrap_or_default(), image)))
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        bytes
            .chunks_exact(Rate::WIDTH)
            .take(SORTS)
            .try_for_each(|rate| Rate::verify(rate, check))
    }
}

/// One of them.
type Rate = Option<NanoDollars>;

/// A row of a price.
impl Column for cost::Row {
    const WIDTH: usize = 1 + u64::WIDTH + Rates::WIDTH;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, writer: &mut Writer) {
        record.push(draft.service as u8);
        u64::write(&draft.above, record, writer);
        Rates::write(&draft.rates, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self {
        let service = bytes.first().copied().unwrap_or_default();
        Self {
            service: service_of(service).unwrap_or_default(),
            above: u64::read(bytes.get(1..).unwrap_or_default(), image),
            rates: Rates::read(bytes.get(1 + u64::WIDTH..).unwrap_or_default(), image),
        }
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        bytes
            .first()
            .and_then(|service| service_of(*service))
            .ok_or(Flaw::Tag)?;
        Rates::verify(bytes.get(1 + u64::WIDTH..).unwrap_or_default(), check)
    }
}

fn service_of(number: u8) -> Option<Service> {
    Service::ALL.get(usize::from(number)).copied()
}

/// A price: its rows, none where there is no price.
pub enum PriceColumn {}

impl Column for PriceColumn {
    const WIDTH: usize = List::<cost::Row>::WIDTH;
    type Draft = Option<Price>;
    type Value<'p> = Rows<'p, cost::Row>;

    fn write(draft: &Self::Draft, record: &mut Vec<u8>, writer: &mut Writer) {
        let rows = draft.as_ref().map_or(&[][..], Price::rows);
        writer.list::<cost::Row>(rows, record);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self::Value<'p> {
        List::read(bytes, image)
    }

    fn own(value: Self::Value<'_>) -> Self::Draft {
        Price::new(value.collect())
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        List::<cost::Row>::verify(bytes, check)?;
        let rows = Self::read(bytes, check.image());
        if rows.is_empty() || Price::new(rows.collect()).is_some() {
            return Ok(());
        }
        Err(Flaw::Price)
    }
}

/// Where something stands; line 0 is nowhere.
impl Column for Origin {
    const WIDTH: usize = 10;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, writer: &mut Writer) {
        u16::write(&draft.file, record, writer);
        u32::write(&draft.line, record, writer);
        u32::write(&draft.column, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self {
        Self {
            file: u16::read(bytes, image),
            line: u32::read(bytes.get(2..).unwrap_or_default(), image),
            column: u32::read(bytes.get(6..).unwrap_or_default(), image),
        }
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        let origin = Self::read(bytes, check.image());
        if origin.line == 0 {
            return Ok(());
        }
        check.index::<File>(origin.file.into())
    }
}

/// Fixed bytes.
impl<const WIDTH: usize> Column for [u8; WIDTH] {
    const WIDTH: usize = WIDTH;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, _: &mut Writer) {
        record.extend_from_slice(draft);
    }

    fn read<'p>(bytes: &'p [u8], _: &'p Image) -> Self {
        leading(bytes)
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(_: &[u8], _: &mut Check<'_>) -> Result<(), Flaw> {
        Ok(())
    }
}

impl Column for IpAddr {
    const WIDTH: usize = 17;
    type Draft = Self;
    type Value<'p> = Self;

    fn write(draft: &Self, record: &mut Vec<u8>, _: &mut Writer) {
        match draft {
            Self::V4(address) => {
                record.push(4);
                record.extend_from_slice(&address.octets());
                record.extend_from_slice(&[0; 12]);
            }
            Self::V6(address) => {
                record.push(6);
                record.extend_from_slice(&address.octets());
            }
        }
    }

    fn read<'p>(bytes: &'p [u8], _: &'p Image) -> Self {
        let octets = bytes.get(1..).unwrap_or_default();
        if bytes.first() == Some(&6) {
            Self::V6(Ipv6Addr::from(leading::<16>(octets)))
        } else {
            Self::V4(Ipv4Addr::from(leading::<4>(octets)))
        }
    }

    fn own(value: Self) -> Self {
        value
    }

    fn verify(bytes: &[u8], _: &mut Check<'_>) -> Result<(), Flaw> {
        match bytes.first() {
            Some(4 | 6) => Ok(()),
            _ => Err(Flaw::Tag),
        }
    }
}

/// The start and length of what lies elsewhere.
pub(super) fn range(bytes: &[u8]) -> (usize, usize) {
    let start = u32::from_le_bytes(leading(bytes));
    let length = u32::from_le_bytes(leading(bytes.get(4..).unwrap_or_default()));
    (start as usize, length as usize)
}

/// A string in the heap.
pub enum Text {}

impl Column for Text {
    const WIDTH: usize = 8;
    type Draft = String;
    type Value<'p> = &'p str;

    fn write(draft: &String, record: &mut Vec<u8>, writer: &mut Writer) {
        writer.text(draft, record);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> &'p str {
        let (start, length) = range(bytes);
        image.text(start, length).unwrap_or_default()
    }

    fn own(value: &str) -> String {
        value.to_owned()
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        let (start, length) = range(bytes);
        check.text(start, length)
    }
}

/// A string that is the record of section `SECTION`.
pub enum TextIn<const SECTION: usize> {}

impl<const SECTION: usize> Column for TextIn<SECTION> {
    const WIDTH: usize = Text::WIDTH;
    type Draft = String;
    type Value<'p> = &'p str;

    fn write(draft: &String, record: &mut Vec<u8>, writer: &mut Writer) {
        Text::write(draft, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> &'p str {
        Text::read(bytes, image)
    }

    fn own(value: &str) -> String {
        Text::own(value)
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        Text::verify(bytes, check)
    }
}

impl<const SECTION: usize> Row for TextIn<SECTION> {
    const SECTION: usize = SECTION;
}

/// Bytes that lie among the code.
pub(super) enum Blob {}

impl Column for Blob {
    const WIDTH: usize = 8;
    type Draft = Vec<u8>;
    type Value<'p> = &'p [u8];

    fn write(draft: &Vec<u8>, record: &mut Vec<u8>, writer: &mut Writer) {
        writer.blob(draft, record);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> &'p [u8] {
        let (start, length) = range(bytes);
        image.blob(start, length).unwrap_or_default()
    }

    fn own(value: &[u8]) -> Vec<u8> {
        value.to_vec()
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        let (start, length) = range(bytes);
        check.tile_blob(start, length)
    }
}

impl Column for Code {
    const WIDTH: usize = Blob::WIDTH;
    type Draft = Self;
    type Value<'p> = &'p [u8];

    fn write(draft: &Self, record: &mut Vec<u8>, writer: &mut Writer) {
        Blob::write(&draft.0, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> &'p [u8] {
        Blob::read(bytes, image)
    }

    fn own(value: &[u8]) -> Self {
        Self(value.to_vec())
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        Blob::verify(bytes, check)
    }
}

/// Records of another section, each owned by one list.
pub struct List<R>(PhantomData<R>);

impl<R: Row + 'static> Column for List<R> {
    const WIDTH: usize = 8;
    type Draft = Vec<R::Draft>;
    type Value<'p> = Rows<'p, R>;

    fn write(draft: &Vec<R::Draft>, record: &mut Vec<u8>, writer: &mut Writer) {
        writer.list::<R>(draft, record);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Rows<'p, R> {
        let (start, count) = range(bytes);
        Rows::new(image, start, count)
    }

    fn own(value: Rows<'_, R>) -> Vec<R::Draft> {
        value.map(R::own).collect()
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        let (start, count) = range(bytes);
        check.tile::<R>(start, count)
    }
}

/// An index into a section, in 16 bits.
pub struct Ref<R>(PhantomData<R>);

impl<R: Row> Column for Ref<R> {
    const WIDTH: usize = 2;
    type Draft = u16;
    type Value<'p> = u16;

    fn write(draft: &u16, record: &mut Vec<u8>, writer: &mut Writer) {
        u16::write(draft, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> u16 {
        u16::read(bytes, image)
    }

    fn own(value: u16) -> u16 {
        value
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        check.index::<R>(u16::read(bytes, check.image()).into())
    }
}

/// An index into a section, in 32 bits.
pub struct WideRef<R>(PhantomData<R>);

impl<R: Row> Column for WideRef<R> {
    const WIDTH: usize = 4;
    type Draft = u32;
    type Value<'p> = u32;

    fn write(draft: &u32, record: &mut Vec<u8>, writer: &mut Writer) {
        u32::write(draft, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> u32 {
        u32::read(bytes, image)
    }

    fn own(value: u32) -> u32 {
        value
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        check.index::<R>(u32::read(bytes, check.image()) as usize)
    }
}

impl<C: Column> Column for Option<C> {
    const WIDTH: usize = 1 + C::WIDTH;
    type Draft = Option<C::Draft>;
    type Value<'p> = Option<C::Value<'p>>;

    fn write(draft: &Self::Draft, record: &mut Vec<u8>, writer: &mut Writer) {
        record.push(u8::from(draft.is_some()));
        let end = record.len() + C::WIDTH;
        if let Some(value) = draft {
            C::write(value, record, writer);
        }
        record.resize(end, 0);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self::Value<'p> {
        let (tag, value) = bytes.split_first()?;
        (*tag == 1).then(|| C::read(value, image))
    }

    fn own(value: Self::Value<'_>) -> Self::Draft {
        value.map(C::own)
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        match bytes.split_first() {
            Some((0, _)) => Ok(()),
            Some((1, value)) => C::verify(value, check),
            _ => Err(Flaw::Tag),
        }
    }
}

/// Two columns side by side.
impl<A: Column, B: Column> Column for (A, B) {
    const WIDTH: usize = A::WIDTH + B::WIDTH;
    type Draft = (A::Draft, B::Draft);
    type Value<'p> = (A::Value<'p>, B::Value<'p>);

    fn write(draft: &Self::Draft, record: &mut Vec<u8>, writer: &mut Writer) {
        A::write(&draft.0, record, writer);
        B::write(&draft.1, record, writer);
    }

    fn read<'p>(bytes: &'p [u8], image: &'p Image) -> Self::Value<'p> {
        let second = bytes.get(A::WIDTH..).unwrap_or_default();
        (A::read(bytes, image), B::read(second, image))
    }

    fn own(value: Self::Value<'_>) -> Self::Draft {
        (A::own(value.0), B::own(value.1))
    }

    fn verify(bytes: &[u8], check: &mut Check<'_>) -> Result<(), Flaw> {
        A::verify(bytes, check)?;
        B::verify(bytes.get(A::WIDTH..).unwrap_or_default(), check)
    }
}
