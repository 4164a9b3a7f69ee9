//! Files with few words and many rules.

/// Turns random numbers into choices; when they run out, the first of each.
pub(crate) struct Choices {
    numbers: std::vec::IntoIter<u32>,
    labels: usize,
    /// Conditions so far, by section: they come again, alone or with more.
    said: [Vec<String>; 2],
}

const COMPARE: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
const TEXTS: [&str; 5] = ["\"\"", "\"a\"", "\"ab\"", "\"b\"", "\"AB\""];

impl Choices {
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Self {
            numbers: numbers.into_iter(),
            labels: 0,
            said: Default::default(),
        }
    }

    fn below(&mut self, count: u32) -> u32 {
        self.numbers.next().unwrap_or(0) % count
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(u32::try_from(texts.len()).unwrap()) as usize]
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("\"r{}\"", self.labels)
    }

    /// A whole file, each rule on a line of its own.
    pub(crate) fn file(&mut self) -> String {
        let tiers = 2 + self.below(3);
        let mut file =
            "waypost 1\nsecret key = env(\"KEY\")\nprovider p { kind openai  auth secret key }\n"
                .to_owned();
        for model in 0..4 {
            let context = ["100", "1k", "50k", "400k"][(3 + model) % 4];
            file += &format!(
                "model m{model} {{ via p  context {context}  output 100  price input $1 output ${} }}\n",
                model + 1
            );
        }
        let names: Vec<String> = (0..tiers).map(|tier| format!("t{tier}")).collect();
        file += &format!("tiers {}\n", names.join(" < "));
        for tier in &names {
            let (first, second) = (self.below(4), self.below(4));
            let then = if first == second {
                String::new()
            } else {
                format!(" then m{second}")
            };
            file += &format!("tier {tier} {{ try m{first}{then} }}\n");
        }
        file += &self.content(&names);
        file += &self.policy(&names);
        file
    }

    fn tier(&mut self, names: &[String]) -> String {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.of(&names).to_owned()
    }

    fn content(&mut self, names: &[String]) -> String {
        let accept = self.of(&[
            "\"auto\"",
            "\"auto\", \"auto-*\"",
            "\"auto\", models",
            "\"auto\", \"ab\" as m1",
            "\"a*\"",
        ]);
        let start = if self.below(3) == 0 {
            self.tier(names)
        } else {
            "t0".to_owned()
        };
        let mut text = format!(
            "content {{\n  accept {accept}\n  start {start}\n  threshold {}\n",
            self.of(&["0.5", "0.25"])
        );
        if self.below(4) == 0 {
            text += "  keep session request.headers[?\"h\"].orValue(\"\") for 10m\n";
        }
        for _ in 0..2 + self.below(4) {
            let (tier, label) = (self.tier(names), self.label());
            let when = self.when(2, true);
            text += &format!("  escalate to {tier} {label} when {when}\n");
        }
        text + "}\n"
    }

    fn policy(&mut self, names: &[String]) -> String {
        let mut text = "policy {\n  callers { anonymous allow }\n".to_owned();
        for _ in 0..1 + self.below(3) {
            let (tier, label) = (self.tier(names), self.label());
            let when = self.when(2, false);
            text += &format!("  cap at {tier} {label} when {when}\n");
        }
        for _ in 0..1 + self.below(3) {
            let (status, label) = (self.of(&["403", "451"]), self.label());
            let when = self.when(2, false);
            text += &format!("  deny {label} status {status} when {when}\n");
        }
        for _ in 0..self.below(3) {
            let (value, label) = (self.of(&["1", "2", "-1"]), self.label());
            let when = self.when(1, false);
            text += &format!("  priority {value} {label} when {when}\n");
        }
        for _ in 0..self.below(4) {
            let label = self.label();
            let rate = self.of(&[
                "3 requests / 1m",
                "5 requests / 1m",
                "9 requests / 1h",
                "4 requests / day",
                "6 requests / day",
                "9k tokens / day",
                "20k tokens / day",
            ]);
            let per = self.of(&["", " per caller.team", " per caller.key"]);
            let on = self.of(&["", "", " on t0", " on m1"]);
            let when = if self.below(3) == 0 {
                format!(" when {}", self.when(1, false))
            } else {
                String::new()
            };
            let outcome = self.of(&[
                "",
                "",
                " { at 50% cap at t0  at 100% deny }",
                " { at 80% warn  at 100% deny }",
                " { at 50% deny }",
            ]);
            text += &format!("  limit {rate} {label}{per}{on}{outcome}{when}\n");
        }
        text + "}\n"
    }

    /// A rule's condition: a new one, or one of before, narrowed or widened.
    fn when(&mut self, depth: u32, content: bool) -> String {
        let said: Vec<String> = self.said[usize::from(content)].clone();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let when = match self.below(8) {
            0 if !said.is_empty() => self.of(&said).to_owned(),
            1 if !said.is_empty() => format!("({}) && {}", self.of(&said), self.atom(content)),
            2 if !said.is_empty() => format!("({}) || {}", self.of(&said), self.atom(content)),
            _ => self.condition(depth, content),
        };
        self.said[usize::from(content)].push(when.clone());
        when
    }

    fn condition(&mut self, depth: u32, content: bool) -> String {
        let kinds = if depth == 0 { 6 } else { 11 };
        match self.below(kinds) {
            0..=5 => self.atom(content),
            6 | 7 => format!(
                "({} && {})",
                self.condition(depth - 1, content),
                self.condition(depth - 1, content)
            ),
            8 => format!(
                "({} || {})",
                self.condition(depth - 1, content),
                self.condition(depth - 1, content)
            ),
            9 => format!("!({})", self.condition(depth - 1, content)),
            _ => {
                let test = self.condition(depth - 1, content);
                let (then, otherwise) = (self.atom(content), self.atom(content));
                format!("({test} ? {then} : {otherwise})")
            }
        }
    }

    fn atom(&mut self, content: bool) -> String {
        if self.below(2) == 0 {
            return self.shared();
        }
        if content { self.asked() } else { self.paid() }
    }

    /// What both sections read.
    fn shared(&mut self) -> String {
        let compare = self.of(&COMPARE);
        let text = self.of(&TEXTS);
        match self.below(14) {
            0..=2 => format!(
                "request.tokens {compare} {}",
                self.of(&["0", "5", "10", "24k", "7.5"])
            ),
            3 => format!(
                "request.tokens + request.max_tokens {compare} {}",
                self.of(&["10", "100"])
            ),
            4 => format!("request.tokens * 2 {compare} {}", self.of(&["10", "20"])),
            5 => format!("request.turns {compare} {}", self.of(&["0", "1", "2"])),
            6 => self
                .of(&[
                    "request.stream",
                    "!request.stream",
                    "request.stream == true",
                ])
                .to_owned(),
            7 => format!(
                "request.model {} {}",
                self.of(&["==", "!="]),
                self.of(&["\"auto\"", "\"auto-x\"", "\"m1\""])
            ),
            8 => format!(
                "request.headers[?\"h\"].orValue({}) {} {text}",
                self.of(&["\"\"", "\"a\""]),
                self.of(&["==", "!="])
            ),
            9 => format!("request.headers[?\"h\"].orValue(\"\") in [{text}, \"c\"]"),
            10 => format!("(\"h\" in request.headers && request.headers[\"h\"] == {text})"),
            11 => self
                .of(&[
                    "\"h\" in request.headers",
                    "request.headers[?\"h\"].hasValue()",
                    "!has(request.headers.h)",
                ])
                .to_owned(),
            12 => format!(
                "request.headers[?\"h\"].orValue(\"\").{}({text})",
                self.of(&["startsWith", "endsWith", "contains"])
            ),
            _ => format!("request.headers[?\"h\"].orValue(\"\").lowerAscii() == {text}"),
        }
    }

    fn asked(&mut self) -> String {
        let compare = self.of(&COMPARE);
        let text = self.of(&TEXTS);
        match self.below(14) {
            0 => format!(
                "request.prompt.{}({text})",
                self.of(&["startsWith", "endsWith", "contains"])
            ),
            1 => format!(
                "request.prompt.matches(\"{}\")",
                self.of(&["^a", "b$", "^ab$", "a", "a|b"])
            ),
            2 => format!(
                "request.prompt {} {text}",
                self.of(&["==", "!=", "<", ">="])
            ),
            3 => format!(
                "size(request.prompt) {compare} {}",
                self.of(&["0", "1", "2"])
            ),
            4 => format!("size(request.tools) {compare} {}", self.of(&["0", "1"])),
            5 | 6 => format!(
                "request.tools.{}(t, t.name.{}({text}))",
                self.of(&["exists", "all"]),
                self.of(&["startsWith", "contains", "endsWith"])
            ),
            7 => format!(
                "request.tools.exists(t, t.name == {text} {} t.description != {})",
                self.of(&["&&", "||"]),
                self.of(&TEXTS)
            ),
            8 => format!(
                "request.messages.exists(m, m.tool_calls.{}(c, c.name == {text}))",
                self.of(&["exists", "all"])
            ),
            9 => format!(
                "request.temperature.orValue({}) {compare} {}",
                self.of(&["0.0", "1.0"]),
                self.of(&["0.5", "1", "0.0"])
            ),
            10 => "request.temperature.hasValue()".to_owned(),
            11 => format!(
                "difficulty {compare} {}",
                self.of(&["0.0", "0.25", "0.5", "1.0", "2", "threshold"])
            ),
            12 => format!(
                "difficulty / {} {compare} {}",
                self.of(&["0.0", "2.0"]),
                self.of(&["0.25", "1.0"])
            ),
            _ => format!(
                "threshold {compare} {}",
                self.of(&["difficulty", "0.5", "1.5"])
            ),
        }
    }

    fn paid(&mut self) -> String {
        let compare = self.of(&COMPARE);
        let text = self.of(&TEXTS);
        match self.below(13) {
            0..=2 => format!(
                "caller.{} {} {text}",
                self.of(&["team", "plan"]),
                self.of(&["==", "!="])
            ),
            3 => format!("caller.team in [{text}, {}]", self.of(&TEXTS)),
            4 => format!("caller.team == caller.{}", self.of(&["plan", "agent"])),
            5 | 6 => format!(
                "tier {} \"{}\"",
                self.of(&["==", "!="]),
                self.of(&["t0", "t1"])
            ),
            7 => format!(
                "model {} \"{}\"",
                self.of(&["==", "!="]),
                self.of(&["m0", "m1", "m3"])
            ),
            8 => format!(
                "cost.{} {compare} {}",
                self.of(&["ceiling", "estimate"]),
                self.of(&["0.0", "0.001", "1"])
            ),
            9 => format!(
                "now {} timestamp(\"2026-01-01T00:00:00Z\")",
                self.of(&["<", ">=", ">"])
            ),
            10 => format!("now.getHours() {compare} {}", self.of(&["0", "12", "24"])),
            11 => format!(
                "caller.claims[?\"role\"].orValue(\"\") {} {text}",
                self.of(&["==", "!="])
            ),
            _ => format!("size(caller.team) {compare} {}", self.of(&["0", "1"])),
        }
    }
}
