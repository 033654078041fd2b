import { type ArgumentCheck, checks } from "./arguments.ts";
import { pandasClasses } from "./pandas-classes.ts";
import { plainNames } from "./plain-names.ts";
import { sklearnClasses } from "./sklearn-classes.ts";
import { sklearnFunctions } from "./sklearn-functions.ts";
import { torchClasses } from "./torch-classes.ts";
import { numpyNames, pandasNames, scipyNames, sklearnNames, torchNames, treeNames } from "./library-names.ts";

/**
 * What an imported name may be used for. `value`: kept, never called. `instance`: made without its constructor
 * running. `class`: constructed with any plain arguments. A check: called when its arguments are as the library
 * itself writes them.
 */
export type Role = "value" | "instance" | "class" | ArgumentCheck;

export const profiles = ["standard", "numpy", "scipy", "sklearn", "pandas", "torch", "xgboost", "lightgbm", "joblib"] as const;
export type Profile = (typeof profiles)[number];

/** A line is a module and names in it. A name may carry its own role behind a colon: `numpy dtype:dtype`. */
function* namesOf(lines: string, standard: string): Generator<readonly [string, string]> {
  for (const line of lines.split("\n")) {
    const [module, ...names] = line.trim().split(" ");
    for (const entry of names) {
      const [name, role] = entry.split(":");
      yield [`${module ?? ""} ${name ?? ""}`, role ?? standard];
    }
  }
}

function* cythonDoors(lines: string): Generator<readonly [string, string]> {
  for (const [key] of namesOf(lines, "class")) {
    const [module, name] = key.split(" ");
    yield [`${module ?? ""} __pyx_unpickle_${name ?? ""}`, "firstClass"];
  }
}

const tables: Readonly<Record<Profile, () => readonly (readonly [string, string])[]>> = {
  standard: () => [...namesOf(plainNames, "class")],
  numpy: () => [...namesOf(numpyNames, "value")],
  scipy: () => [...namesOf(scipyNames, "class")],
  sklearn: () => [...namesOf(sklearnClasses, "class"), ...cythonDoors(sklearnClasses), ...namesOf(sklearnFunctions, "value"), ...namesOf(sklearnNames, "class")],
  pandas: () => [...namesOf(pandasClasses, "class"), ...namesOf(pandasNames, "class")],
  torch: () => [...namesOf(torchClasses, "instance"), ...namesOf(torchNames, "value")],
  xgboost: () => [...namesOf(treeNames, "class")].filter(([key]) => key.startsWith("xgboost")),
  lightgbm: () => [...namesOf(treeNames, "class")].filter(([key]) => key.startsWith("lightgbm")),
  joblib: () => [...namesOf(treeNames, "class")].filter(([key]) => key.includes("joblib")),
};

const built = new Map<string, ReadonlyMap<string, Role>>();

/** Roles by module and name for the given profiles; exact names only, no prefixes and no patterns. */
export function allowList(chosen: readonly Profile[] = profiles): ReadonlyMap<string, Role> {
  const id = chosen.toSorted().join(" ");
  const known = built.get(id);
  if (known !== undefined) return known;
  const roles = new Map<string, Role>();
  for (const profile of chosen) {
    for (const [key, role] of tables[profile]()) roles.set(key, roleNamed(role));
  }
  built.set(id, roles);
  return roles;
}

function roleNamed(name: string): Role {
  if (name === "value" || name === "instance" || name === "class") return name;
  const check = checks[name];
  if (check === undefined) throw new Error(`the allow-list names a check \`${name}\` that does not exist`);
  return check;
}

const renamedModules: readonly (readonly [string, string])[] = [
  ["numpy._core.", "numpy.core."],
  ["sklearn.externals.joblib.", "joblib."],
];
const renamed: ReadonlyMap<string, string> = new Map([["__builtin__", "builtins"], ["copy_reg", "copyreg"], ["UserDict", "collections"], ["numpy._core", "numpy.core"]]);

/** The key of a name in the allow-list: modules that were renamed by Python or NumPy are one. */
export function allowKey(module: string, name: string): string {
  const direct = renamed.get(module);
  if (direct !== undefined) return `${direct} ${name}`;
  const rule = renamedModules.find(([from]) => module.startsWith(from));
  return `${rule === undefined ? module : rule[1] + module.slice(rule[0].length)} ${name}`;
}
