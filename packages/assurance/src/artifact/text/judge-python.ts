import type { Layer } from "../layer.ts";

const modules = "os|sys|subprocess|socket|shutil|ctypes|importlib|pty|requests|urllib|urllib2|http|ftplib|smtplib|pickle|cPickle|dill|cloudpickle|marshal|shelve|runpy|multiprocessing|webbrowser|telnetlib|paramiko|asyncio|signal|builtins|code|pip|cffi|winreg|platform";
const importing = /(?:^|[;:])[ \t]*(?:import|from)[ \t]+([^\n;]*)/gmu;
const reachingModule = new RegExp(`^(${modules})(?:$|[.\\s])`, "u");
const calling = /(?<![\w.])(eval|exec|compile|__import__|open|breakpoint|getattr|setattr|globals|execfile)\s*\(/u;
const reaching = /\b(os\.(?:system|popen|exec\w*|spawn\w*|remove|unlink)|subprocess\.\w+|torch\.hub\.load|torch\.ops\.load_library|load_library|pickle\.loads?|joblib\.load|numpy\.load|__builtins__|__subclasses__|__globals__)/u;
const starts = /^(?:import\s+[\w.]+|from\s+[\w.]+\s+import\s|def\s+\w+\s*\(|class\s+\w+\s*[(:]|@\w+|async\s+def\s|if\s+__name__|\w+\s*=\s*[\w"'([{]|"""|'''|print\()/u;

/** What a piece of Python uses that reaches outside of it, or undefined. Comments and texts are not told apart. */
export function unsafePython(source: string): string | undefined {
  const imported = unsafeImport(source);
  if (imported !== undefined) return `the module \`${imported}\``;
  const called = calling.exec(source) ?? reaching.exec(source);
  return called === null ? undefined : `\`${called[1] ?? ""}\``;
}

/** Names behind `import` and `from`, statement by statement. */
function unsafeImport(source: string): string | undefined {
  for (const match of source.matchAll(importing)) {
    for (const part of (match[1] ?? "").split(",")) {
      const name = reachingModule.exec(part.trim())?.[1];
      if (name !== undefined) return name;
    }
  }
  return undefined;
}

/** Whether a text is a Python program, by its first statements. */
export function isPython(text: string): boolean {
  if (/^#!.*python/u.test(text)) return true;
  if (/^```/mu.test(text)) return false;
  const lines = text.split("\n", 400).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const [first] = lines;
  if (first === undefined || !starts.test(first)) return false;
  return lines.some((line) => /^\s*(?:import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+)*\s*(?:#.*)?$|from\s+[\w.]+\s+import\s|def\s+\w+\s*\(.*|class\s+\w+.*:)/u.test(line)) || /^[ \t]*(?:print|exec|eval|__import__)[ \t]*\(/mu.test(text);
}

/** A program in a model runs when somebody loads it with that program: never a pass, and refused when it reaches outside. */
export function judgePython(layer: Layer, source: string): void {
  const unsafe = unsafePython(source);
  if (unsafe === undefined) layer.report("script", "there is a Python program, which may run when the model is served");
  else layer.report("script.unsafe", `a Python program uses ${unsafe}`);
}

/** Operators of TorchScript that reach files or libraries; those of tensors do not. */
const scriptOperator = /\b(from_file|torch\.save|torch\.load|aten::save|aten::from_file|_save_parameters|ops\.(?!aten\b|prim\b|quantized\b|torchvision\b|torchaudio\b|_caffe2\b|inductor\b)\w+)/u;

export function judgeTorchScript(layer: Layer, source: string): void {
  const operator = scriptOperator.exec(source)?.[1] ?? unsafeImport(source);
  if (operator !== undefined) layer.report("torch.script.operator", `the TorchScript program uses \`${operator}\``);
}
