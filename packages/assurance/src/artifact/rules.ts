/**
 * `block`: the artifact must not be loaded. `insufficient`: part of it was not understood, so nothing is known.
 * `advisory`: told to people, and without weight in the verdict.
 */
export type Severity = "block" | "insufficient" | "advisory";

interface Rule {
  readonly severity: Severity;
  readonly remedy: string;
}

const untrusted = "do not load it; ask its author for weights in safetensors, or for a file written by the declared library alone";
const rewrite = "write the file again with the library that made it, and compare its digest with the declared one";
const unknown = "give the artifact in a format that this scanner reads, or have a person decide on it";
const sandbox = "read the named part before loading it, or load it only where it can reach nothing";

const block = (remedy: string): Rule => ({ severity: "block", remedy });
const insufficient = (remedy: string): Rule => ({ severity: "insufficient", remedy });
const advisory = (remedy: string): Rule => ({ severity: "advisory", remedy });

/** Every rule that a finding can name. */
export const artifactRules = {
  "pickle.import": block(untrusted),
  "pickle.import.computed": block(untrusted),
  "pickle.import.dotted": block(untrusted),
  "pickle.extension": block(untrusted),
  "pickle.call": block(untrusted),
  "pickle.call.arguments": block(untrusted),
  "pickle.call.value": block(untrusted),
  "pickle.build": block(untrusted),
  "pickle.build.key": block(untrusted),
  "pickle.persistent": block(untrusted),
  "pickle.mutate": block(untrusted),
  "pickle.malformed": block(rewrite),
  "pickle.streams": block("write one object per file"),
  "pickle.trailing": block(rewrite),
  "pickle.shadow": block(untrusted),
  "pickle.buffers": insufficient("write the pickle with its buffers inside"),
  "torch.storage": block(rewrite),
  "torch.script": insufficient(sandbox),
  "torch.script.operator": block(untrusted),
  "npy.malformed": block(rewrite),
  "npy.object": advisory("write arrays of numbers or fixed-width text: they need no pickle"),
  "zip.malformed": block(rewrite),
  "zip.hidden": block(rewrite),
  "zip.mismatch": block(rewrite),
  "zip.duplicate": block(rewrite),
  "zip.overlap": block(rewrite),
  "zip.path": block("give relative names without `..` inside the archive"),
  "zip.link": block("put the file itself into the archive"),
  "zip.encrypted": insufficient("give the archive without a password"),
  "zip.encrypted.flag": block(rewrite),
  "zip.crc": advisory(rewrite),
  "zip.method": insufficient("write the archive with deflate or without compression"),
  "tar.malformed": block(rewrite),
  "tar.path": block("give relative names without `..` inside the archive"),
  "tar.link": block("put the file itself into the archive"),
  "tar.special": block("leave devices and pipes out of the archive"),
  "tar.duplicate": block(rewrite),
  "compressed.malformed": block(rewrite),
  "compressed.trailing": block(rewrite),
  "compressed.unsupported": insufficient("compress with gzip or zlib, or not at all"),
  "container.unsupported": insufficient("give a zip or tar archive"),
  "limit.depth": block("unpack the inner archives and scan each"),
  "limit.entries": block("give fewer files, or scan the parts"),
  "limit.ratio": block("give the file uncompressed"),
  "limit.expanded": insufficient("give the file uncompressed"),
  "limit.size": insufficient("give the parts of the file as files of their own"),
  "limit.steps": insufficient("give the model in safetensors or ONNX"),
  "polyglot": block(rewrite),
  "keras.lambda": block("replace the Lambda layer by a layer that the library has"),
  "keras.module": block("save the model with layers of keras alone"),
  "keras.registered": block("save the model with layers of keras alone"),
  "keras.class": block("save the model with layers that neither run code nor read files"),
  "keras.file": block("put the vocabulary itself into the model"),
  "hdf5.malformed": block(rewrite),
  "hdf5.external": block("store the data inside the file"),
  "hdf5.unsupported": insufficient("save the model again with the library's default layout"),
  "hdf5.slack": advisory("repack the file with h5repack"),
  "savedmodel.operator": block("export the graph without operators that read, write, print or call Python"),
  "savedmodel.malformed": block(rewrite),
  "savedmodel.asset": advisory("read the named assets: the graph reads them when it is loaded"),
  "onnx.malformed": block(rewrite),
  "onnx.external": block("keep external data beside the model, under a plain relative name"),
  "onnx.external.unseen": advisory("declare the file of external data with its digest as well"),
  "onnx.domain": block("export the model with operators of ONNX, or with its own functions inside"),
  "onnx.contrib": advisory("export the model with operators of ONNX itself"),
  "onnx.operator": block("export the model without operators that call code of the host"),
  "onnx.branch": advisory("look at the branch: a condition on constants is where a planted behaviour hides"),
  "onnx.unknown": insufficient("export the model with a version of ONNX that this scanner knows"),
  "safetensors.malformed": block(rewrite),
  "gguf.malformed": block(rewrite),
  "gguf.unsupported": insufficient("convert the model to GGUF version 3, little endian"),
  "template.unsafe": block("replace the chat template by one that only reads messages"),
  "template.unreadable": insufficient("correct the template: it cannot be parsed"),
  "json.malformed": block(rewrite),
  "json.duplicate": block(rewrite),
  "json.repeat": advisory("write each key once"),
  "json.object": block(untrusted),
  "config.target": block("leave out what makes the loader call a function by name"),
  "config.remote": advisory("load with remote code switched off, or read that code first"),
  "yaml.object": block("write plain YAML without Python tags"),
  "xml.entity": block("write the document without entities and external references"),
  "xml.malformed": block(rewrite),
  "xml.unsupported": insufficient("write the document in UTF-8"),
  "script": insufficient(sandbox),
  "script.unsafe": block(untrusted),
  "notebook": advisory("read the cells before running them"),
  "notebook.unsafe": insufficient("read the named cell before running it"),
  "native": block("leave programs out of the model"),
  "bytecode": block("leave compiled code out of the model"),
  "java.object": block("give the model in a format without Java objects"),
  "tflite.malformed": block(rewrite),
  "tflite.operator": block("convert the model without operators that read, write or call Python"),
  "tflite.custom": insufficient("convert the model with built-in operators"),
  "coreml.malformed": block(rewrite),
  "coreml.custom": insufficient("convert the model without custom layers"),
  "ubjson.malformed": block(rewrite),
  "unknown": insufficient(unknown),
  "unclaimed": insufficient(unknown),
  "empty": insufficient("give the file itself"),
} as const satisfies Readonly<Record<string, Rule>>;

export type ArtifactRule = keyof typeof artifactRules;

/** One thing that was found, where, and what to do next. */
export interface Finding {
  readonly rule: ArtifactRule;
  readonly severity: Severity;
  /** Names of containers and entries from the outside in, joined by `!/`. */
  readonly path: string;
  /** Byte inside the layer that `path` names; null where no single byte is meant. */
  readonly offset: number | null;
  readonly what: string;
  readonly remedy: string;
}
