const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/u;
const path = /^[_a-zA-Z][_a-zA-Z0-9]*(?:::[_a-zA-Z][_a-zA-Z0-9]*)*$/u;
const keywords = new Set(["true", "false", "if", "then", "else", "in", "is", "like", "has"]);
/** Cedar's own names stand below it; nobody else's may. */
const reserved = "__cedar";
/** Words of the schema language itself. */
const typeWords = new Set(["Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"]);

/** What an entity type or an extension type may be called inside its namespace. */
export function isTypeId(text: string): boolean {
  return identifier.test(text) && !keywords.has(text) && text !== reserved;
}

export function isCommonTypeId(text: string): boolean {
  return isTypeId(text) && !typeWords.has(text);
}

/** A key of annotations: keywords may stand there. */
export function isAnnotationKey(text: string): boolean {
  return identifier.test(text);
}

/** A name that somebody may declare: of a namespace or of an entity type. */
export function isDeclarableName(text: string): boolean {
  return path.test(text) && text.split("::").every((part) => !keywords.has(part) && part !== reserved);
}

/** A name that a schema may refer to, among them those below `__cedar`. */
export function isReferenceName(text: string): boolean {
  return path.test(text) && text.split("::").every((part) => !keywords.has(part));
}

/** Where an unqualified name is looked for: in the namespace it stands in, then in the one without a name. */
export function candidates(namespace: string, name: string): readonly string[] {
  return namespace === "" || name.includes("::") ? [name] : [`${namespace}::${name}`, name];
}

export function qualify(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}::${name}`;
}

export function basename(name: string): string {
  const at = name.lastIndexOf("::");
  return at < 0 ? name : name.slice(at + 2);
}

/** `Action`, or `Action` in any namespace. */
export function isActionType(name: string): boolean {
  return basename(name) === "Action";
}
