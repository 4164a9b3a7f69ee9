//! The fields that an overlay can write, kind by kind.

use std::borrow::Cow;

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{
    Deploy, Kaito, Let, Model, Name, Pool, Price, PriceRow, Provider, Sort, Step, Tier,
};

/// Where a pool's replicas come from: a field of its own, since one way replaces another.
pub(super) const SOURCE: &str = "source of replicas";

/// What can be declared in one file and changed in another.
pub(crate) trait Overlay {
    /// How messages call it.
    const KIND: &'static str;

    /// What it is called.
    fn name(&self) -> &Name;

    /// The fields that it writes over `base`.
    fn fields(&self, base: &Self) -> Vec<Field>;

    /// Takes one field of an overlay.
    fn take(&mut self, field: &str, overlay: &Self);
}

/// Whether the span of such a field is the whole of its value, and not only where it begins.
pub(crate) fn is_whole(field: &str) -> bool {
    let begins = ["rejects", "serves", "lacks", "try", "engine", SOURCE];
    !begins.contains(&field) && !field.starts_with("versions")
}

/// What a field is called, and where its value stands.
pub(super) type Field = (Cow<'static, str>, Span);

fn written(fields: impl IntoIterator<Item = (&'static str, Option<Span>)>) -> Vec<Field> {
    let written = fields.into_iter();
    written
        .filter_map(|(field, span)| Some((field.into(), span?)))
        .collect()
}

impl Overlay for Provider {
    const KIND: &'static str = "provider";

    fn name(&self) -> &Name {
        &self.name
    }

    fn fields(&self, _: &Self) -> Vec<Field> {
        written([
            ("kind", self.kind.as_ref().map(|one| one.span)),
            ("resource", self.resource.as_ref().map(|one| one.span)),
            ("url", self.url.as_ref().map(|one| one.span)),
            ("version", self.version.as_ref().map(|one| one.span)),
            ("region", self.region.as_ref().map(|one| one.span)),
            ("auth", self.auth.as_ref().map(|one| one.span)),
        ])
    }

    fn take(&mut self, field: &str, overlay: &Self) {
        match field {
            "kind" => self.kind.clone_from(&overlay.kind),
            "resource" => self.resource.clone_from(&overlay.resource),
            "url" => self.url.clone_from(&overlay.url),
            "version" => self.version.clone_from(&overlay.version),
            "region" => self.region.clone_from(&overlay.region),
            _ => self.auth.clone_from(&overlay.auth),
        }
    }
}

impl Overlay for Model {
    const KIND: &'static str = "model";

    fn name(&self) -> &Name {
        &self.name
    }

    fn fields(&self, _: &Self) -> Vec<Field> {
        let mut fields = written([
            ("via", self.via.as_ref().map(|one| one.span)),
            ("context", self.context.as_ref().map(|one| one.span)),
            ("output", self.output.as_ref().map(|one| one.span)),
            ("rejects", self.rejects.first().map(|one| one.span)),
            ("serves", self.serves.first().map(|one| one.span)),
            ("lacks", self.lacks.first().map(|one| one.span)),
            ("retires", self.retires.as_ref().map(|one| one.span)),
            ("listed as", self.listed.as_ref().map(|one| one.span)),
        ]);
        for (field, row, sort) in self.price.iter().flat_map(rates) {
            fields.extend(row.rate(sort).map(|rate| (field.into(), rate.span)));
        }
        let price = self.price.as_ref();
        let as_of = price.and_then(|price| price.as_of.as_ref());
        fields.extend(as_of.map(|day| (AS_OF.into(), day.span)));
        fields
    }

    fn take(&mut self, field: &str, overlay: &Self) {
        match field {
            "via" => self.via.clone_from(&overlay.via),
            "context" => self.context.clone_from(&overlay.context),
            "output" => self.output.clone_from(&overlay.output),
            "rejects" => self.rejects.clone_from(&overlay.rejects),
            "serves" => self.serves.clone_from(&overlay.serves),
            "lacks" => self.lacks.clone_from(&overlay.lacks),
            "retires" => self.retires.clone_from(&overlay.retires),
            "listed as" => self.listed.clone_from(&overlay.listed),
            part => take_price(&mut self.price, part, overlay.price.as_ref()),
        }
    }
}

const AS_OF: &str = "price as of";

/// Every part of a price that is written, by what it is called: `price priority above 272k output`.
fn rates(price: &Price) -> impl Iterator<Item = (String, &PriceRow, Sort)> {
    price.rows.iter().flat_map(|row| {
        let head = row.head();
        let sorts = Sort::ALL.into_iter();
        let written = sorts.filter(|sort| row.rate(*sort).is_some());
        written.map(move |sort| (format!("{head} {}", sort.word()), row, sort))
    })
}

/// `price input $1.10` leaves the other parts as they are, but for the day on which the old ones were read.
fn take_price(price: &mut Option<Price>, part: &str, overlay: Option<&Price>) {
    let Some(overlay) = overlay else { return };
    let price = price.get_or_insert_with(|| Price {
        span: overlay.span,
        rows: Vec::new(),
        as_of: None,
    });
    price.span = overlay.span;
    if part == AS_OF {
        price.as_of.clone_from(&overlay.as_of);
        return;
    }
    let Some((_, row, sort)) = rates(overlay).find(|(name, ..)| name == part) else {
        return;
    };
    let place = match price.rows.iter().position(|other| other.is_of(row)) {
        Some(place) => place,
        None => {
            price.rows.push(PriceRow {
                rates: Default::default(),
                ..row.clone()
            });
            price.rows.len() - 1
        }
    };
    let own = price.rows.get_mut(place);
    if let Some(rate) = own.and_then(|own| own.rates.get_mut(sort as usize)) {
        *rate = row.rate(sort).cloned();
    }
}

impl Overlay for Pool {
    const KIND: &'static str = "pool";

    fn name(&self) -> &Name {
        &self.name
    }

    fn fields(&self, base: &Self) -> Vec<Field> {
        let kaito = self.kaito.as_ref();
        // Parts of one workspace are merged; any other way takes the place of the one before.
        let other = kaito.filter(|_| base.kaito.is_none()).map(|one| one.span);
        let addresses = self.endpoints.first().or(self.dns.as_ref());
        let selector = self.selector.as_ref().map(|one| one.span);
        let source = other.or(selector).or(addresses.map(|one| one.span));
        let part = |part: fn(&Kaito) -> Option<Span>| kaito.and_then(part);
        written([
            (SOURCE, source),
            ("kaito preset", part(|one| Some(one.preset.as_ref()?.span))),
            (
                "kaito instance",
                part(|one| Some(one.instance.as_ref()?.span)),
            ),
            (
                "kaito replicas",
                part(|one| Some(one.replicas.as_ref()?.span)),
            ),
            ("engine", self.engine.as_ref().map(|one| one.name.span)),
            ("port", self.port.as_ref().map(|one| one.span)),
        ])
    }

    fn take(&mut self, field: &str, overlay: &Self) {
        match field {
            SOURCE => {
                self.endpoints.clone_from(&overlay.endpoints);
                self.dns.clone_from(&overlay.dns);
                self.selector.clone_from(&overlay.selector);
                self.kaito.clone_from(&overlay.kaito);
                // The port was that of the other containers.
                self.port = None;
            }
            "engine" => self.engine.clone_from(&overlay.engine),
            "port" => self.port.clone_from(&overlay.port),
            part => take_kaito(&mut self.kaito, part, overlay.kaito.as_ref()),
        }
    }
}

fn take_kaito(kaito: &mut Option<Kaito>, part: &str, overlay: Option<&Kaito>) {
    let Some(overlay) = overlay else { return };
    let kaito = kaito.get_or_insert_with(|| overlay.clone());
    match part {
        "kaito preset" => kaito.preset.clone_from(&overlay.preset),
        "kaito instance" => kaito.instance.clone_from(&overlay.instance),
        _ => kaito.replicas.clone_from(&overlay.replicas),
    }
}

impl Overlay for Tier {
    const KIND: &'static str = "tier";

    fn name(&self) -> &Name {
        &self.name
    }

    fn fields(&self, _: &Self) -> Vec<Field> {
        let first = self.steps.first().map(|step| match step {
            Step::Try(name) => name.span,
            Step::Split(split) => split.span,
        });
        written([
            ("try", first),
            ("timeout", self.timeout.as_ref().map(|one| one.span)),
            ("retries", self.retries.as_ref().map(|one| one.span)),
            ("hedge", self.hedge.as_ref().map(|one| one.span)),
        ])
    }

    fn take(&mut self, field: &str, overlay: &Self) {
        match field {
            "try" => self.steps.clone_from(&overlay.steps),
            "timeout" => self.timeout.clone_from(&overlay.timeout),
            "hedge" => self.hedge.clone_from(&overlay.hedge),
            _ => self.retries.clone_from(&overlay.retries),
        }
    }
}

impl Overlay for Let {
    const KIND: &'static str = "constant";

    fn name(&self) -> &Name {
        &self.name
    }

    fn fields(&self, _: &Self) -> Vec<Field> {
        written([("value", Some(self.value.span))])
    }

    fn take(&mut self, _: &str, overlay: &Self) {
        self.value.clone_from(&overlay.value);
    }
}

/// Components whose version an overlay sets one by one.
const COMPONENTS: [(&str, &str); 3] = [
    ("versions inference-extension", "inference-extension"),
    ("versions kaito", "kaito"),
    ("versions agentgateway", "agentgateway"),
];

impl Overlay for Deploy {
    const KIND: &'static str = "deployment";

    fn name(&self) -> &Name {
        &self.target
    }

    fn fields(&self, _: &Self) -> Vec<Field> {
        let mut fields = written([
            ("namespace", self.namespace.as_ref().map(|one| one.span)),
            ("shape", self.shape.as_ref().map(|one| one.span)),
            ("replicas", self.replicas.as_ref().map(|one| one.span)),
            ("monitor", self.monitor.as_ref().map(|one| one.span)),
            ("state", self.state.as_ref().map(|one| one.span)),
            ("image", self.image.as_ref().map(|one| one.span)),
        ]);
        fields.extend(self.versions.iter().map(|(name, _)| {
            let known = COMPONENTS.iter().find(|(_, one)| *one == name.value);
            (
                known.map_or("versions", |(field, _)| *field).into(),
                name.span,
            )
        }));
        fields
    }

    fn take(&mut self, field: &str, overlay: &Self) {
        match field {
            "namespace" => self.namespace.clone_from(&overlay.namespace),
            "shape" => self.shape.clone_from(&overlay.shape),
            "replicas" => self.replicas.clone_from(&overlay.replicas),
            "monitor" => self.monitor.clone_from(&overlay.monitor),
            "state" => self.state.clone_from(&overlay.state),
            "image" => self.image.clone_from(&overlay.image),
            versions => {
                let component = COMPONENTS.iter().find(|(field, _)| *field == versions);
                let meant = |name: &Name| match component {
                    Some((_, one)) => *one == name.value,
                    None => COMPONENTS.iter().all(|(_, one)| *one != name.value),
                };
                self.versions.retain(|(name, _)| !meant(name));
                let new = overlay.versions.iter().filter(|(name, _)| meant(name));
                self.versions.extend(new.cloned());
            }
        }
    }
}
