import type { Layer } from "../layer.ts";
import { isList, isObject, type Json, type JsonObject } from "../text/json.ts";

export interface KerasOptions {
  /** Keras 3 writes the module of every class; older files write class names alone. */
  readonly strict: boolean;
}

/** Classes that carry code, load other files or hand their arguments to another framework. */
const runsCode = new Set(["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__", "TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceProperty", "InstanceMethod", "TensorFlowOpLayer"]);
const lambdaNames = new Set(["Lambda", "__lambda__"]);
/** Of older TensorFlow: a call of a public function by its name. */
const operatorLambdas = new Set(["TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceProperty", "InstanceMethod", "TensorFlowOpLayer"]);
const kerasModule = /^(?:tf_)?keras(?:$|\.)/u;
/** Parts of Keras that are tools and not layers: download, load, save, run. */
const toolModule = /^(?:tf_)?keras(?:\.(?:src|api|_tf_keras|keras))*\.(?:utils|saving|backend|datasets|preprocessing|applications|callbacks|legacy|export|testing|wrappers|trainers|distribution|api_export|visualization|tree|version|backend_config)(?:\.|$)/u;
const kerasFunction = /^[a-z][a-z0-9_]{0,60}$/u;
const pythonFunctions = new Set("eval exec compile open print input getattr setattr delattr vars dir globals locals breakpoint exit quit help memoryview object super type classmethod staticmethod property callable id iter next map filter reload execfile apply".split(" "));
const plainBuiltins = new Set(["list", "tuple", "dict", "set", "int", "float", "str", "bool", "slice", "NoneType"]);
const vocabularyKeys = new Set(["vocabulary", "idf_weights", "vocabulary_file", "weights_path", "filepath"]);
const depthMax = 300;

/**
 * Looks for what a configuration makes Keras import or execute: Lambda layers, classes and functions by module and
 * name (CVE-2024-3660, CVE-2025-1550, CVE-2025-8747), wrappers of other frameworks, and files to read.
 */
export function judgeKeras(layer: Layer, config: Json, options: KerasOptions, depth = 0): void {
  if (depth > depthMax) {
    layer.report("json.malformed", "the configuration is nested too deep");
    return;
  }
  if (isList(config)) {
    for (const item of config) judgeKeras(layer, item, options, depth + 1);
    return;
  }
  if (!isObject(config)) return;
  judgeObject(layer, config, options);
  for (const value of Object.values(config)) judgeKeras(layer, value, options, depth + 1);
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function judgeObject(layer: Layer, config: JsonObject, options: KerasOptions): void {
  const name = text(config["class_name"]);
  const module = text(config["module"]);
  if (text(config["function_type"]) === "lambda" || text(config["output_shape_type"]) === "lambda") layer.report("keras.lambda", "a layer carries compiled Python code");
  if (name !== undefined) judgeClass(layer, { name, module, config });
  if (module !== undefined && name !== undefined && options.strict) {
    judgeModule(layer, { name, module, config });
    judgeRegistered(layer, { name, module, config });
  }
  judgeFunction(layer, text(config["fn_module"]) ?? text(config["function_module"]));
  judgeFiles(layer, config);
}

function judgeFunction(layer: Layer, module: string | undefined): void {
  if (module !== undefined && !kerasModule.test(module) && module !== "builtins") layer.report("keras.module", `a function of the module \`${module}\` would be called`);
}

function judgeFiles(layer: Layer, config: JsonObject): void {
  for (const key of vocabularyKeys) {
    const path = text(config[key]);
    if (path !== undefined && path !== "") layer.report("keras.file", `\`${key}\` names the file \`${path}\`, which would be read while loading`);
  }
}

interface Named {
  readonly name: string;
  readonly module: string | undefined;
  readonly config: JsonObject;
}

function judgeClass(layer: Layer, { name, module, config }: Named): void {
  const last = name.split(/[>.]/u).at(-1) ?? name;
  if (lambdaNames.has(last)) {
    layer.imports(module ?? "keras.layers", last);
    layer.report("keras.lambda", "a Lambda layer carries compiled Python code");
  } else if (operatorLambdas.has(last)) {
    const called = isObject(config["config"]) ? text(config["config"]["function"]) : undefined;
    if (called === undefined || !/^(?:math|nn|_operators|__operators__|keras|linalg|compat\.v1|image|signal|strings|sets|\w+)(?:\.\w+)*$/u.test(called) || /(?:^|\.)(?:io|py_function|numpy_function|raw_ops|load_op_library|load_library|print|saved_model)(?:\.|$)/u.test(called)) layer.report("keras.class", `\`${name}\` calls \`${called ?? "something unnamed"}\``);
  } else if (runsCode.has(last)) layer.report("keras.class", `\`${name}\` runs or loads what is not in the configuration`);
}

function judgeModule(layer: Layer, { name, module, config }: Named & { readonly module: string }): void {
  const called = name === "function" ? (text(config["config"]) ?? "") : undefined;
  if (module === "builtins") {
    if (!isPlainBuiltin(name, called)) refuseModule(layer, module, called ?? name);
  } else if (!kerasModule.test(module)) refuseModule(layer, module, called ?? name);
  else if (toolModule.test(module) && name !== "DTypePolicy") layer.report("keras.class", `\`${module}.${name}\` is a tool of the library and not a part of a model`);
  else if (called !== undefined && !kerasFunction.test(called)) layer.report("keras.class", `\`${module}\` is asked for a function by \`${called}\``);
}

/** Activations and losses stand under \`builtins\`, as do Python's own functions if a file says so. */
function isPlainBuiltin(name: string, called: string | undefined): boolean {
  return called === undefined ? plainBuiltins.has(name) : kerasFunction.test(called) && !pythonFunctions.has(called);
}

function judgeRegistered(layer: Layer, { config }: Named): void {
  const registered = text(config["registered_name"]);
  if (registered?.includes(">") === true && !/^keras\w*>/iu.test(registered)) layer.report("keras.registered", `\`${registered}\` is a class of somebody else, registered under a name`);
}

function refuseModule(layer: Layer, module: string, name: string): void {
  layer.imports(module, name);
  layer.report("keras.module", `the configuration imports \`${module}.${name}\`, which is no part of Keras`);
}
