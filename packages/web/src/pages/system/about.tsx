import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { Section } from "../../parts/states.tsx";
import { Field, Mail } from "../../parts/words.tsx";
import { labelOf } from "../../theme.ts";

function words(key: string): string {
  return key.replaceAll(/([A-Z])/gu, " $1").toLowerCase();
}

/** A manifest's value as a person would say it: lists by commas, parts by their names. */
function textOf(value: unknown): string {
  if (value === undefined || value === null || value === "") return "not declared";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(textOf).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([key, part]) => `${words(key)}: ${textOf(part).replace(/\.$/u, "")}`).join("; ");
  return typeof value === "string" ? labelOf(value) : JSON.stringify(value);
}

const declared: readonly (readonly [key: string, label: string])[] = [
  ["description", "Description"],
  ["users", "Users"],
  ["affectedPeople", "Affected people"],
  ["deploymentContext", "Deployment context"],
  ["jurisdictions", "Jurisdictions"],
  ["oversight", "Human oversight"],
  ["autonomy", "Autonomy"],
  ["dataBoundary", "Data boundary"],
  ["downstreamActions", "Downstream actions"],
  ["rollback", "Rollback"],
  ["environments", "Environments"],
];

export function About({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { owners } = detail.system;
  return (
    <Section id="about" title="About" note="As declared in the manifest of this release.">
      <Field name="Purpose">{detail.purpose}</Field>
      <Field name="Business owner">
        <Mail address={owners.business} />
      </Field>
      <Field name="Technical owner">
        <Mail address={owners.technical} />
      </Field>
      <Field name="Risk owner">
        <Mail address={owners.risk} />
      </Field>
      {declared.map(([key, label]) => (
        <Field key={key} name={label}>
          {textOf(detail.manifest[key])}
        </Field>
      ))}
    </Section>
  );
}
