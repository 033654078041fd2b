import { unreadable } from "./refusal.ts";

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
}

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
}

const elementsMax = 2_000_000;
const depthMax = 64;
const token = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<!|<\/([^\s>]{1,200})\s*>|<([^\s/>!?]{1,200})((?:\s+[^\s=/>]{1,200}\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+|</gu;
const attribute = /([^\s=/>]{1,200})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/gu;
const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Elements and attributes of an XML document; text is dropped, because no figure of a report stands in it. Refuses document types and so every
 * entity but the five that XML has: a report needs none, and others read files or expand without end.
 */
export function readXml(text: string): XmlElement {
  const reader = new XmlReader();
  for (const match of text.matchAll(token)) reader.take(match);
  return reader.end();
}

class XmlReader {
  readonly #root: Open = { name: "", attributes: {}, children: [] };
  readonly #stack: Open[] = [this.#root];
  #elements = 0;

  take([whole, closing, opening, attributes, single]: RegExpExecArray): void {
    if (whole === "<!") throw unreadable("the XML has a document type, which a report does not need");
    if (whole === "<") throw cutOff();
    if (closing !== undefined) this.#close(closing);
    else if (opening !== undefined) this.#open({ name: opening, attributes: attributesOf(attributes ?? ""), children: [] }, single === "/");
  }

  end(): XmlElement {
    const [only, ...others] = this.#root.children;
    if (this.#stack.length !== 1 || only === undefined || others.length > 0) throw cutOff();
    return only;
  }

  #open(element: Open, single: boolean): void {
    this.#elements += 1;
    if (this.#elements > elementsMax || this.#stack.length > depthMax) throw unreadable("the XML has too many elements");
    this.#stack.at(-1)?.children.push(element);
    if (!single) this.#stack.push(element);
  }

  #close(name: string): void {
    const closed = this.#stack.pop();
    if (closed?.name !== name || this.#stack.length === 0) throw unreadable(`the XML is not well-formed at \`</${name.slice(0, 60)}>\``);
  }
}

function cutOff(): Error {
  return unreadable("the XML is not well-formed: it may have been cut off");
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const attributes = new Map<string, string>();
  for (const [, name, double, single] of text.matchAll(attribute)) {
    if (name === undefined) continue;
    if (attributes.has(name)) throw unreadable(`the XML has the attribute \`${name.slice(0, 60)}\` twice`);
    attributes.set(name, decoded(double ?? single ?? ""));
  }
  return Object.fromEntries(attributes);
}

function decoded(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{1,20}));/giu, (_, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
    if (name !== undefined) {
      const known = entities[name];
      if (known === undefined) throw unreadable(`the XML has the entity \`${name}\`, which is not declared`);
      return known;
    }
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!(code > 0 && code <= 0x10ffff)) throw unreadable("the XML has a character that is none");
    return String.fromCodePoint(code);
  });
}
