//! Random files from the grammar, with random spacing, line breaks and comments.

/// Choices made beforehand: the same bytes give the same file, and fewer bytes a smaller one.
pub(crate) struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
    text: String,
    serial: u32,
}

/// The file that these choices make.
pub(crate) fn file(choices: &[u8]) -> String {
    let mut choices = Choices {
        bytes: choices.iter(),
        text: String::new(),
        serial: 0,
    };
    choices.comments();
    choices.put("waypost 1");
    while choices.bytes.len() > 0 {
        choices.end_line();
        choices.item();
    }
    choices.end_line();
    choices.text
}

impl Choices<'_> {
    /// One of `0..count`; the first when the choices have run out.
    fn pick(&mut self, count: usize) -> usize {
        self.bytes
            .next()
            .map_or(0, |byte| usize::from(*byte) % count)
    }

    fn one<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.pick(words.len())]
    }

    fn maybe(&mut self) -> bool {
        self.pick(2) == 1
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A space or more, or none at the start of a line.
    fn space(&mut self) {
        let space = self.one(&[" ", "  ", "\t", "    "]);
        self.put(space);
    }

    fn word(&mut self, word: &str) {
        self.space();
        self.put(word);
    }

    fn words(&mut self, words: &str) {
        for word in words.split(' ') {
            self.word(word);
        }
    }

    fn end_line(&mut self) {
        if self.pick(5) == 1 {
            self.space();
            self.comment();
        }
        self.put("\n");
        self.comments();
    }

    fn comments(&mut self) {
        for _ in 0..self.pick(4) {
            match self.pick(4) {
                0 => self.put("\n"),
                1 => self.put("   \n"),
                _ => {
                    self.space();
                    self.comment();
                    self.put("\n");
                }
            }
        }
    }

    fn comment(&mut self) {
        let comment = self.one(&["// why {", "/// said \"", "//", "//tight", "// é  "]);
        self.put(comment);
    }

    fn name(&mut self) {
        let name = self.one(&["a", "weak", "gpt-5.1", "strong", "model", "tier", "b_2"]);
        self.word(name);
    }

    fn text_literal(&mut self) {
        let text = self.one(&[
            r#""x""#,
            r#""a // b""#,
            r#""}""#,
            r#"'it'"#,
            r#"r"\d""#,
            "\"\"\"two  \n  lines { \"\"\"",
            r#""\u00e9\n""#,
        ]);
        self.word(text);
    }

    fn label(&mut self) {
        if self.maybe() {
            let label = self.one(&["\"hard\"", "\"a longer label\""]);
            self.word(label);
        }
    }

    fn expression(&mut self) {
        let expression = self.one(&[
            "request.tokens > 24k",
            "difficulty  >=  threshold",
            "request.tools.exists(t,\n t.name == \"}\")",
            "a\n   // inner\n     &&   b",
            "caller.team == 'x'\n|| [1,\n2].size() > 1",
            "{'a': 1}.size() == 1",
            "\"\"\"a\n b\"\"\" != \"\"",
        ]);
        self.word(expression);
    }

    fn key(&mut self) {
        let key = self.one(&[
            "caller.key",
            "caller.team + \"x\"",
            "request.headers[?\"a\"].orValue(\"\")",
        ]);
        self.word(key);
    }

    /// `{ … }` of some statements, on lines of their own or, where none ends in an expression, not.
    fn block(&mut self, statements: &[fn(&mut Self)], one_line: bool) {
        self.word("{");
        let one_line = one_line && self.maybe();
        for statement in statements {
            if self.maybe() {
                continue;
            }
            if !one_line || self.pick(4) == 0 {
                self.end_line();
            }
            statement(self);
        }
        if !one_line {
            self.end_line();
        }
        self.word("}");
    }

    fn item(&mut self) {
        match self.pick(15) {
            0 => {
                self.words("import");
                self.text_literal();
            }
            1 => self.secret(),
            2 => {
                self.words("let LONG =");
                let value = self.one(&["24000", "100k", "[1,\n  2]"]);
                self.word(value);
            }
            3 => self.provider(),
            4 => self.model(),
            5 => self.pool(),
            6 => self.tier(),
            7 => self.content(),
            8 => self.policy(),
            9 => self.place(),
            10 => self.deploy(),
            11 => self.catalog(),
            12 => self.require(),
            13 => self.overlay(),
            _ => self.test(),
        }
    }

    fn secret(&mut self) {
        let name = self.serial;
        self.serial += 1;
        self.word("secret");
        self.word(&format!("s{name}"));
        self.word("=");
        let source = self.one(&[
            "env( \"A\")",
            "file(\"a\" ,)",
            "k8s(\"a/b\",\"c\")",
            "k8s(\n\"a/b\",\n  \"c\", // key\n)",
            "\"plain\"",
        ]);
        self.word(source);
    }

    fn provider(&mut self) {
        self.word("provider");
        self.name();
        self.block(
            &[
                |c| c.words("kind azure-openai"),
                |c| {
                    c.word("url");
                    c.text_literal();
                },
                |c| c.words("region \"eu\""),
                |c| {
                    let auth = c.one(&["auth none", "auth secret s0", "auth workload-identity"]);
                    c.words(auth);
                },
            ],
            true,
        );
    }

    fn model(&mut self) {
        let kind = self.one(&["model", "extend model"]);
        self.words(kind);
        self.name();
        self.block(
            &[
                |c| {
                    let via = c.one(&["via a", "via pool b as \"c\"", "via a deployment \"d\""]);
                    c.words(via);
                },
                |c| c.words("context 400k"),
                Self::price,
                |c| c.words("output 1.5k"),
                |c| c.words("listed as gpt-5.1"),
                |c| c.words("retires \"2027-03-31\""),
                |c| {
                    let rejects =
                        c.one(&["rejects x , y", "rejects x,\n y,\n  z", "serves embeddings"]);
                    c.words(rejects);
                },
            ],
            true,
        );
    }

    fn price(&mut self) {
        let price = self.one(&[
            "price input $1.25",
            "price input $1 cached $0.1 output $10",
            "price input $1 output $2 as of \"2026-11-01\"",
            "price above 200k input $2 cache-write $2.5 output $3",
            "price priority above 272k reasoning $9 audio-input $1 output $2",
        ]);
        self.words(price);
    }

    fn catalog(&mut self) {
        self.word("catalog");
        self.name();
        self.block(
            &[
                Self::price,
                |c| c.words("context 400k output 128k"),
                |c| c.words("rejects x , y"),
                |c| c.words("retires \"2028-02-29\""),
                |c| c.words("source \"https://x.dev // not a comment\""),
            ],
            true,
        );
    }

    fn require(&mut self) {
        self.word("require");
        self.text_literal();
        self.block(
            &[
                |c| c.words("each tier"),
                |c| {
                    c.word("when");
                    c.expression();
                },
                |c| {
                    c.word("that");
                    c.expression();
                },
                |c| {
                    c.word("help");
                    c.text_literal();
                },
                |c| c.words("severity warning"),
            ],
            false,
        );
    }

    fn overlay(&mut self) {
        self.word("extend");
        match self.pick(6) {
            0 => self.provider(),
            4 => self.words("let LONG = 48k"),
            1 => self.pool(),
            2 => {
                self.word("tier");
                self.name();
                self.block(
                    &[|c| c.words("try a then b"), |c| c.words("retries 2")],
                    true,
                );
            }
            3 => {
                self.word("deploy");
                self.block(&[|c| c.words("replicas 2..10")], true);
            }
            _ => self.deploy(),
        }
    }

    fn pool(&mut self) {
        self.word("pool");
        self.name();
        self.block(
            &[
                |c| c.words("kaito { preset \"p\" replicas 2 .. 8 }"),
                |c| {
                    let engine = c.one(&[
                        "engine vllm",
                        "engine custom { queue \"q\" kv-cache \"k\" }",
                    ]);
                    c.words(engine);
                },
                |c| c.words("port 5000"),
                |c| c.words("endpoints \"a\" , \"b\","),
                |c| {
                    let selector = c.one(&[
                        "selector { app: \"vllm\" , \"a/b\" : \"c\" } namespace \"llm\"",
                        "selector {\n app:\"vllm\",\n tier:\"x\"\n}",
                    ]);
                    c.words(selector);
                },
            ],
            true,
        );
    }

    fn tier(&mut self) {
        if self.maybe() {
            let tiers = self.one(&["tiers weak<strong", "tiers weak\n < strong", "tiers a"]);
            return self.words(tiers);
        }
        self.word("tier");
        self.name();
        self.block(
            &[
                |c| {
                    let steps = c.one(&[
                        "try a",
                        "try a then b then split c 5%,d 95%",
                        "split a 90%, b 10%",
                    ]);
                    c.words(steps);
                    if c.maybe() && steps.contains("split") {
                        c.word("by");
                        c.key();
                    }
                },
                |c| c.words("timeout 60s"),
                |c| c.words("retries 2"),
            ],
            true,
        );
    }

    fn content(&mut self) {
        self.word("content");
        if self.maybe() {
            self.name();
        }
        self.block(
            &[
                |c| {
                    let accept = c.one(&[
                        "accept \"auto\",models",
                        "accept \"a\" as b,\n \"c\"",
                        "accept models ,",
                    ]);
                    c.words(accept);
                },
                |c| {
                    c.word("start");
                    c.name();
                },
                Self::escalate,
                Self::escalate,
                |c| {
                    let threshold = c.one(&["threshold 0.42", "threshold hold strong at 30%..35%"]);
                    c.words(threshold);
                },
                |c| {
                    c.words("keep session");
                    c.key();
                    c.words("for 10m");
                },
            ],
            false,
        );
    }

    fn escalate(&mut self) {
        self.words("escalate to");
        self.name();
        self.label();
        self.word("when");
        self.expression();
    }

    fn policy(&mut self) {
        self.word("policy");
        self.block(
            &[
                |c| {
                    let callers = c.one(&[
                        "anonymous deny",
                        "keys secret s0",
                        "jwt { issuer \"i\" audience \"a\" }",
                    ]);
                    c.words("callers {");
                    c.words(callers);
                    c.word("}");
                },
                |c| {
                    c.word("deny");
                    c.label();
                    let status = c.one(&["when", "status 451 when"]);
                    c.words(status);
                    c.expression();
                },
                |c| {
                    c.words("cap at weak");
                    c.label();
                    c.word("when");
                    c.expression();
                },
                Self::quota,
                Self::quota,
                |c| c.words("redact email, \"x+\" in request,logs"),
                |c| {
                    let priority =
                        c.one(&["priority 10", "priority - 5", "priority 1 \"p\" when true"]);
                    c.words(priority);
                },
            ],
            false,
        );
    }

    fn quota(&mut self) {
        let rate = self.one(&[
            "limit 600 requests/1m",
            "budget $50 / day in \"UTC\"",
            "limit 60k tokens / 24h",
        ]);
        self.words(rate);
        self.label();
        if self.maybe() {
            self.word("per");
            self.key();
        }
        let clauses = self.one(&[
            "on strong",
            "burst 50 on a",
            "on b { at 80% warn at 100% cap at weak }",
        ]);
        self.words(clauses);
        if self.pick(3) == 1 {
            self.word("when");
            self.expression();
        }
    }

    fn place(&mut self) {
        self.words("place phi");
        self.block(
            &[
                |c| c.words("prefer prefix 3 ,queue 2"),
                |c| c.words("saturate queue 5, kv-cache 80%"),
                |c| {
                    let overflow = c.one(&["overflow shed", "overflow wait 2s then next"]);
                    c.words(overflow);
                },
                |c| {
                    c.words("only when");
                    c.expression();
                },
            ],
            false,
        );
    }

    fn deploy(&mut self) {
        self.words("deploy kubernetes");
        self.block(
            &[
                |c| c.words("namespace \"llm\""),
                |c| c.words("replicas 2..10"),
                |c| {
                    let state = c.one(&[
                        "state local",
                        "state redis secret s0",
                        "state redis secret s0 away share",
                    ]);
                    c.words(state);
                },
                |c| {
                    let versions = c.one(&[
                        "versions { kaito \"v1\" }",
                        "versions {\n kaito \"v1\"\n agentgateway \"1\" }",
                    ]);
                    c.words(versions);
                },
            ],
            true,
        );
    }

    fn test(&mut self) {
        self.word("test");
        self.text_literal();
        self.block(
            &[
                |c| {
                    c.word("given");
                    c.block(
                        &[
                            |c| {
                                c.word("prompt");
                                c.text_literal();
                            },
                            |c| c.words("caller.team \"t\""),
                            |c| c.words("tools \"a\", \"b\""),
                            |c| c.words("spent $50 on strong"),
                            |c| c.words("tokens 30k stream true"),
                        ],
                        true,
                    );
                },
                |c| {
                    c.word("expect");
                    c.block(
                        &[
                            |c| c.words("tier weak"),
                            |c| c.words("cost<$0.001"),
                            |c| c.words("capped by \"$50 / day\""),
                            |c| c.words("denied"),
                        ],
                        true,
                    );
                },
            ],
            true,
        );
    }
}
