import { Code, Text } from "@mantine/core";
import type { CheckStanding, ChecksView, RecordedCheck } from "@licet/contract";
import type { ReactNode } from "react";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Breakable, Prose, Word } from "../../parts/words.tsx";
import { attemptText } from "./attempts-words.ts";
import { IntervalPlot } from "./checks-plot.tsx";
import { askedText, boundText, commandFor, countsText, limitText, producerText, whyText } from "./checks-words.ts";

type Tier = ChecksView["tier"];

function Small({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <Text size="xs" c="dimmed" component="div">
      {children}
    </Text>
  );
}

export function CheckName({ system, declared }: { readonly system: string; readonly declared: CheckStanding["declared"] }): ReactNode {
  return (
    <div className="loose">
      <PageLink to="/systems/$system/checks/$check" params={{ system, check: declared.id }} size="sm">
        {declared.id}
      </PageLink>
      {declared.label === null ? null : <Text size="sm">{declared.label}</Text>}
      <Small>
        <Code>{declared.check}</Code> {declared.advisory ? "advisory: reported, not demanded" : ""}
      </Small>
    </div>
  );
}

function Why({ check: { standing, result }, tier }: { readonly check: CheckStanding; readonly tier: Tier }): ReactNode {
  if (standing === "aborted") return <Small>A later attempt never came back; it stands above the result beside it.</Small>;
  if (standing === "disputed") {
    return (
      <Small>
        Another run came to other figures, or the server could not make the drawn check of its run again in time, so this result does not count. Find out why, then run <Code>{commandFor(tier)}</Code> again: it is the next attempt.
      </Small>
    );
  }
  if (standing === "awaiting_repeat") return <Small>Its run counts when it is back and the server has made the drawn check again: see the attempts of this release.</Small>;
  if (standing === "missing" || result === null) {
    return (
      <Small>
        No result for this release: run <Code>{commandFor(tier)}</Code>
      </Small>
    );
  }
  return (
    <Small>
      <Prose>{whyText(result)}</Prose>
    </Small>
  );
}

export function Standing({ check, tier }: { readonly check: CheckStanding; readonly tier: Tier }): ReactNode {
  return (
    <div className="loose">
      <Word value={check.standing} />
      <Why check={check} tier={tier} />
    </div>
  );
}

/** The declared limit beside what the gate asks for. */
function Asked({ check }: { readonly check: CheckStanding }): ReactNode {
  const text = askedText(check);
  return text === "" ? null : <Small>{text}</Small>;
}

/** The plot, and the same in words. */
export function Figures({ recorded }: { readonly recorded: RecordedCheck }): ReactNode {
  return (
    <div className="loose">
      <IntervalPlot figures={recorded.figures} />
      <Text size="xs">{boundText(recorded.figures)}</Text>
    </div>
  );
}

export function Origin({ recorded, tier }: { readonly recorded: RecordedCheck; readonly tier: Tier }): ReactNode {
  return (
    <div className="loose">
      <Text size="sm">
        <Breakable>{producerText(recorded)}</Breakable>
      </Text>
      <Small>
        {countsText(recorded.counts, tier)}; {attemptText(recorded)}
      </Small>
    </div>
  );
}

/** Each declared check once: what stands, held against its limit, and what is missing. */
export function CheckRows({ view }: { readonly view: ChecksView }): ReactNode {
  const { system, tier } = view;
  return (
    <Rows
      label="checks"
      head={["Check", "Verdict", "Against the limit", "Produced by", "When", "Record"]}
      empty={
        <>
          This release declares no check. <Code>licet check init</Code> proposes some for the <Code>assurance</Code> section of licet.yaml.
        </>
      }
      rows={view.checks.map((check) => ({
        key: check.declared.id,
        cells: [
          <CheckName key="c" system={system} declared={check.declared} />,
          <Standing key="v" check={check} tier={tier} />,
          <div key="f">
            {check.result === null ? `${limitText(check.declared.limit)} is asked` : <Figures recorded={check.result} />}
            <Asked check={check} />
          </div>,
          check.result === null ? "" : <Origin key="p" recorded={check.result} tier={tier} />,
          check.result === null ? "" : <Age key="t" since={check.result.at} />,
          check.result === null ? "" : <EntryLink key="l" id={check.result.entry} />,
        ],
      }))}
    />
  );
}
