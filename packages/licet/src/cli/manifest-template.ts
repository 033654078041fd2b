import { annexIIIUses, autonomyLevels, dataClasses, oversightModes, riskLevels, toolPowers } from "@licet/contract";
import { fillIn } from "../inventory/check-unfilled.ts";
import { owedAnswers } from "../inventory/owed-answers.ts";
import { euQuestions } from "../risk/questions.ts";

/** A commented licet.yaml; what only the team can know is marked, and refused by `licet validate` until it is replaced. Words and questions come from the schema, so that they cannot drift from it. */
export function manifestTemplate(name: string): string {
  return `# What this AI system is, who answers for it, and what it may touch. Replace each ${fillIn}, then: licet validate
# Editors complete and explain every key with: licet schema > licet.schema.json
apiVersion: licet/v1
name: ${name}                       # lower-case letters, digits, hyphens; stays for ever
title: ${name}                      # for readers; changing it makes no new release
purpose: ${fillIn}                  # what it is for, in one or two sentences; material: another purpose is another release
owners:
  business: ${fillIn}               # e-mail; accountable for why it exists
  technical: ${fillIn}              # e-mail; accountable for how it works; somebody else
  risk: ${fillIn}                   # e-mail; signs the answers that only a person may give
users: [our staff]
affectedPeople: []                  # whom its outputs touch beyond the users
deploymentContext: ${fillIn}        # where and in which process it runs
jurisdictions: [${fillIn}]          # two-letter codes: DE, FR, EU
oversight:
  mode: ${fillIn}                   # ${oversightModes.join(" | ")}
  overseer: ${fillIn}               # person or role that may stop it; leave out for mode none
autonomy: ${fillIn}                 # ${autonomyLevels.join(" | ")}

# The tier is computed from these answers. One left out counts as the strictest.
risk:
${Object.entries(riskLevels).map(([key, words]) => riskLine(key, words)).join("\n")}
  eu: # answer each with true or false
${euSections().join("\n")}
    # every area it may fall in, [] for none: ${annexIIIUses.join(", ")}
    annexIII: ${fillIn}

components:
  models:
    - name: main
      provider: ${fillIn}           # id of a registered provider; \`local\` for a file of your own
      model: ${fillIn}              # the id that goes over the wire
      # file: model/weights.onnx    # a file is addressed by its content
      # parameters: { temperature: { max: 0.7 }, max_tokens: { max: 1000 } }
  # prompts:
  #   - name: system
  #     role: system                # system | developer
  #     file: prompts/system.md     # byte for byte as sent
  #     template: { holes: { product: { pattern: "[a-zA-Z ]+", maxLength: 40 } } }   # {{product}} in the text
  # datasets:
  #   - name: test
  #     file: data/test.csv
  #     sensitivity: internal       # ${dataClasses.join(" | ")}
  #     licence: CC BY 4.0          # licence or consent
  #     retentionDays: 365
  # tools:
  #   - name: search
  #     description: Searches the handbook.
  #     power: read                 # ${toolPowers.join(" | ")}
  #     schema: { type: object, properties: { query: { type: string } }, required: [query] }
  # services:
  #   - name: handbook
  #     vendor: Example Ltd

dataBoundary:
  classes: [${fillIn}]              # every class it may touch: ${dataClasses.join(", ")}
  regions: [${fillIn}]              # where data may be processed: eu, us, eu-west-1
  retentionDays: 30
  sharingPaths: []                  # - { to: Example Ltd, classes: [internal], region: eu }
downstreamActions: []               # what happens because of its outputs

# assurance:
#   checks:
#     - { id: complete, check: data.missing, dataset: test, max: 0 }

rollback:
  plan: ${fillIn}                   # what people do when it must be taken back
  target: previous
environments: [local]
`;
}

const owed: ReadonlySet<string> = new Set(owedAnswers.flatMap(({ path, keys }) => keys.map((key) => [...path, key].join("."))));

function riskLine(key: string, words: readonly string[]): string {
  if (owed.has(`risk.${key}`)) return `  ${key}: ${fillIn}  # ${words.join(" | ")}`;
  return `  # ${key}: read off the components; declare only what is stricter: ${words.join(" | ")}`;
}

/** Each question stands in the file unanswered: a prefilled no would be an answer that nobody gave. */
function euSections(): readonly string[] {
  const sections = [...new Set(euQuestions.map((question) => question.section))];
  return sections.flatMap((section) => {
    const questions = euQuestions.filter((question) => question.section === section);
    const asked = questions.some((question) => owed.has(`risk.eu.${section}.${question.key}`));
    return [
      `    ${asked ? "" : "# "}${section}:`,
      ...questions.map(({ id, key, text }) => (owed.has(`risk.eu.${section}.${key}`) ? `      ${key}: ${fillIn}  # ${id} ${text}` : `      # ${key}: false  # ${id} ${text}`)),
    ];
  });
}
