import { defineConfig } from "oxlint";
import { features, layers } from "./layers.ts";

interface Ban {
  readonly group: string[];
  readonly message: string;
}

const src = "packages/licet/src";
const routesOnlyInServer: Ban = {
  group: ["**/routes.ts"],
  message: "only server/compose.ts mounts routes",
};
const databaseOnlyInStore: Ban = {
  group: ["**/db/**", "kysely"],
  message: "only store.ts talks to the database",
};
const oneWayOut: Ban = {
  group: ["undici", "node:http", "node:https", "node:net", "node:tls", "http", "https"],
  message: "connections go out through base/outbound.ts; listeners live in http/ and gateway/serve.ts",
};

function later(layer: (typeof layers)[number]): Ban[] {
  const after = layers.slice(layers.indexOf(layer) + 1);
  const group = after.map((name) => `**/${name}/**`);
  return group.length === 0
    ? []
    : [{ group, message: `layers.ts puts ${after.join(", ")} after ${layer}` }];
}

/** A later override replaces an earlier one whole, so each lists every ban that holds for its files. */
function override(files: string[], bans: Ban[]) {
  const rule: ["error", { patterns: Ban[] }] = ["error", { patterns: bans }];
  return { files, rules: { "no-restricted-imports": rule } };
}

const foundation = layers.map((layer) =>
  override([`${src}/${layer}/**`], [...later(layer), routesOnlyInServer, oneWayOut]),
);
const feature = features.map((layer) =>
  override(
    [`${src}/${layer}/**`],
    [...later(layer), routesOnlyInServer, databaseOnlyInStore, oneWayOut],
  ),
);
const store = features.map((layer) =>
  override([`${src}/${layer}/store.ts`], [...later(layer), routesOnlyInServer, oneWayOut]),
);
const compose = override([`${src}/server/compose.ts`], [...later("server"), oneWayOut]);
/** The few files that own a socket. */
const sockets = [
  override([`${src}/base/outbound.ts`], [...later("base"), routesOnlyInServer]),
  override([`${src}/http/**`], [...later("http"), routesOnlyInServer]),
  override([`${src}/gateway/serve.ts`], [...later("gateway"), routesOnlyInServer, databaseOnlyInStore]),
];

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise", "node", "vitest"],
  categories: { correctness: "error", suspicious: "error" },
  ignorePatterns: ["**/dist/**", "test-output/**"],
  rules: {
    "typescript/no-explicit-any": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unsafe-type-assertion": "error",
    "typescript/only-throw-error": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
    "max-params": ["error", { max: 4 }],
    "max-depth": ["error", { max: 3 }],
    complexity: ["error", { max: 12 }],
    "no-console": "error",
    "no-warning-comments": "error",
    eqeqeq: "error",
    "unicorn/no-array-sort": "off",
    "unicorn/no-array-reverse": "off",
    "unicorn/consistent-function-scoping": "off",
    "import/no-unassigned-import": "off",
    "import/no-named-as-default-member": "off",
    "no-shadow": "off",
    "promise/always-return": "off",
    "vitest/require-mock-type-parameters": "off",
    "vitest/warn-todo": "off",
    "no-await-in-loop": "off",
    "no-underscore-dangle": "off",
  },
  overrides: [
    ...foundation,
    ...feature,
    ...store,
    compose,
    ...sockets,
    // `parseJson` of @licet/evidence (of @licet/cedar for policies) is the one reader of JSON.
    { files: ["packages/{licet,evidence,assurance,cedar}/src/**"], rules: { "no-restricted-properties": ["error", { object: "JSON", property: "parse", message: "parseJson reads keys as they are written" }] } },
    { files: ["packages/evidence/src/json*.ts", "packages/cedar/src/*json*.ts", "**/*.test.ts", "**/*-fixture.ts"], rules: { "no-restricted-properties": "off" } },
    { files: ["**/*.config.ts"], rules: { "import/no-default-export": "off" } },
    {
      files: ["**/*.test.ts", "**/*.test.tsx", "test/**", "bench/**", "scripts/**", "examples/**"],
      rules: {
        "max-lines-per-function": "off",
        "no-console": "off",
        "typescript/no-unsafe-type-assertion": "off",
      },
    },
  ],
});
