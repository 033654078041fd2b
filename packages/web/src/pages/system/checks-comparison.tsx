import { Code, List, Text } from "@mantine/core";
import type { CheckStanding, ChecksView, RecordedCheck } from "@licet/contract";
import type { ReactNode } from "react";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Word } from "../../parts/words.tsx";
import { CheckName, Figures } from "./checks-rows.tsx";
import { changes } from "./checks-words.ts";

type Compared = NonNullable<ChecksView["compared"]>;

function Side({ recorded, none }: { readonly recorded: RecordedCheck | null; readonly none: string }): ReactNode {
  if (recorded === null) return <Text size="sm">{none}</Text>;
  return (
    <div>
      <Word value={recorded.figures.verdict} />
      <Figures recorded={recorded} />
    </div>
  );
}

function Changed({ check: { result, compared } }: { readonly check: CheckStanding }): ReactNode {
  if (compared === null) return result === null ? "" : "new";
  if (result === null) return "no result yet";
  const lines = changes(compared.figures, result.figures);
  if (lines.length === 0) return "nothing";
  return (
    <List size="sm">
      {lines.map((line) => (
        <List.Item key={line}>{line}</List.Item>
      ))}
    </List>
  );
}

function Dropped({ view, compared }: { readonly view: ChecksView; readonly compared: Compared }): ReactNode {
  if (view.dropped.length === 0) return null;
  return (
    <Text size="sm">
      Declared by release {compared.number} and not by this one:{" "}
      {view.dropped.map((each, at) => (
        <span key={each.id}>
          {at === 0 ? "" : ", "}
          <PageLink to="/systems/$system/checks/$check" params={{ system: view.system, check: each.checkId }} size="sm" underline="always">
            {each.checkId}
          </PageLink>{" "}
          ({each.figures.verdict.replaceAll("_", " ")})
        </span>
      ))}
    </Text>
  );
}

function SideBySide({ view, compared }: { readonly view: ChecksView; readonly compared: Compared }): ReactNode {
  return (
    <>
      <Text size="sm">
        Release {compared.number} is deployed at {compared.stage} in {compared.environment}, <Age since={compared.recordedAt} />.
      </Text>
      <Rows
        label="comparison"
        head={["Check", `Release ${compared.number}, in ${compared.stage}`, `Release ${view.release.number}, this one`, "What differs"]}
        empty="Neither release declares a check."
        rows={view.checks.map((check) => ({
          key: check.declared.id,
          cells: [
            <CheckName key="n" system={view.system} declared={check.declared} />,
            <Side key="b" recorded={check.compared} none="no result" />,
            <Side key="a" recorded={check.result} none="no result yet" />,
            <Changed key="c" check={check} />,
          ],
        }))}
      />
      <Dropped view={view} compared={compared} />
      <Text size="sm" c="dimmed">
        Side by side, and no test of a difference: two intervals that overlap do not show that two releases are alike.
      </Text>
    </>
  );
}

function Nothing({ view }: { readonly view: ChecksView }): ReactNode {
  if (view.compared === null) {
    return (
      <Text size="sm" c="dimmed">
        No release is deployed, so there is nothing to compare with. A platform engineer records one with <Code>licet deploy record</Code>.
      </Text>
    );
  }
  return (
    <Text size="sm" c="dimmed">
      This release is itself the one deployed at {view.compared.stage} in {view.compared.environment}. A later release is compared with it here.
    </Text>
  );
}

/** This release beside the one that is deployed at the highest stage. */
export function Comparison({ view }: { readonly view: ChecksView }): ReactNode {
  const { compared } = view;
  const other = compared === null || compared.release === view.release.digest ? null : compared;
  return (
    <Section id="comparison" title={`Compared with the release in ${compared?.stage ?? "production"}`}>
      {other === null ? <Nothing view={view} /> : <SideBySide view={view} compared={other} />}
    </Section>
  );
}
