import { Alert, Code, Group, List, NativeSelect, Stack, Text } from "@mantine/core";
import type { CheckAttempt, ChecksView } from "@licet/contract";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Prose, Word } from "../../parts/words.tsx";
import { tones } from "../../theme.ts";
import { isWorn, repeatText, reservedText, reuseText, runnerText } from "./attempts-words.ts";
import { Comparison } from "./checks-comparison.tsx";
import { CheckRows } from "./checks-rows.tsx";
import { advice, commandFor, figure, owed, producerText, summaryText } from "./checks-words.ts";

function ChooseRelease({ view }: { readonly view: ChecksView }): ReactNode {
  const navigate = useNavigate();
  const { system, releases } = view;
  const [newest] = releases;
  const choose = (release: string): void => {
    void navigate({ to: "/systems/$system/checks", params: { system }, search: release === newest?.digest ? {} : { release }, replace: true });
  };
  return (
    <NativeSelect
      aria-label="release"
      size="xs"
      value={view.release.digest}
      data={releases.map(({ digest, number }) => ({ value: digest, label: `release ${number}${digest === newest?.digest ? ", the newest" : ""}` }))}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  );
}

function Head({ view }: { readonly view: ChecksView }): ReactNode {
  return (
    <div>
      <PageTitle>{`Checks of ${view.title}`}</PageTitle>
      <Group gap="xs" mt={4}>
        <ChooseRelease view={view} />
        <Digest value={view.release.digest} />
        <Word value={view.tier} prefix="tier" />
        <Text size="sm" c="dimmed">
          pushed <Age since={view.release.pushedAt} />
        </Text>
        <PageLink to="/systems/$system" params={{ system: view.system }} size="sm">
          the system
        </PageLink>
      </Group>
    </div>
  );
}

/** What the gate still asks for, and what to do. */
function Owed({ view }: { readonly view: ChecksView }): ReactNode {
  const rest = owed(view.checks);
  if (rest.length === 0) return null;
  const none = view.checks.every(({ result }) => result === null);
  const title = none ? "No result for this release yet" : `${rest.length} of ${view.checks.filter(({ declared }) => !declared.advisory).length} demanded checks ${rest.length === 1 ? "does" : "do"} not count as passed yet`;
  const older = view.releases[0]?.digest !== view.release.digest;
  return (
    <Alert color={tones.wait} title={title}>
      <List size="sm">
        {advice(rest, commandFor(view.tier)).map((line) => (
          <List.Item key={line}>
            <Prose>{line}</Prose>
          </List.Item>
        ))}
      </List>
      {view.tier === "minimal" ? null : (
        <Text size="sm">
          What is run on a machine of your own does not count at {view.tier} tier; a registered CI run with <Code>licet check --ci</Code> does.
        </Text>
      )}
      {older ? <Text size="sm">This is not the newest release: go back to its files before running anything.</Text> : null}
    </Alert>
  );
}

function Returned({ attempt: { status, checks, returned } }: { readonly attempt: CheckAttempt }): ReactNode {
  const lacking = checks.filter((check) => !returned.includes(check));
  return (
    <div className="loose">
      <Word value={status === "returned" ? "complete" : status} />
      <Text size="xs" c="dimmed">
        {status === "returned" ? `${returned.length} results` : `${returned.length} of ${checks.length} results; lacking: ${lacking.join(", ")}`}
      </Text>
    </div>
  );
}

/** What each check of a ticket could spend, and what came out of the drawn one. */
function Spent({ attempt }: { readonly attempt: CheckAttempt }): ReactNode {
  const lines = [...reservedText(attempt), ...(attempt.checks.length === 0 ? ["nothing: every verdict stood already"] : [])];
  return (
    <div className="loose">
      {lines.map((line) => (
        <Text key={line} size="xs">
          {line}
        </Text>
      ))}
      <Text size="xs" c={attempt.repeat?.state === "disagrees" || attempt.repeat?.state === "void" ? "var(--tone-bad-text)" : "dimmed"} component="div">
        <Prose>{repeatText(attempt)}</Prose>
      </Text>
    </div>
  );
}

/** How often the declared data have judged: data that were looked at again and again say less than they seem to. */
function Reuse({ view }: { readonly view: ChecksView }): ReactNode {
  return (
    <Section id="reuse" title="Use of data" note="Tickets for which a data set judged something, over all releases of the system.">
      <Rows
        label="use of data"
        head={["Data set", "Digest", "Use"]}
        empty="This release declares no data set."
        rows={view.reuse.map((use) => ({
          key: use.id,
          cells: [
            use.id,
            <Digest key="d" value={use.digest} />,
            <Text key="u" size="sm" {...(isWorn(use) && { c: "var(--tone-wait-text)", fw: 600 })}>
              {reuseText(use)}
            </Text>,
          ],
        }))}
      />
    </Section>
  );
}

function Attempts({ view }: { readonly view: ChecksView }): ReactNode {
  return (
    <Section id="attempts" title="Attempts" note={`Each began with a ticket in the log, before anything ran. All attempts of a check on one subject together may pass wrongly at ${figure(view.alpha)}: each has its part, aborted ones too, and the same data are not judged twice.`}>
      <Rows
        label="attempts"
        head={["Ticket", "State", "Spent", "Produced by", "Begun", "To be back by", "Record"]}
        empty="Nobody has begun a counted run of this release."
        rows={view.attempts.map((attempt) => ({
          key: attempt.ticket,
          cells: [
            <span key="n">
              {attempt.attempt} <Digest value={attempt.ticket} />
            </span>,
            <Returned key="s" attempt={attempt} />,
            <Spent key="a" attempt={attempt} />,
            producerText({ producer: attempt.producer, producedBy: attempt.issuedTo }),
            <Age key="b" since={attempt.issuedAt} />,
            <Age key="l" since={attempt.leaseUntil} />,
            <EntryLink key="e" id={attempt.entry} />,
          ],
        }))}
      />
    </Section>
  );
}

/** What the server's own runner may take, and what it is at: as `licet serve --runner` sets it. */
function RunnerState({ view }: { readonly view: ChecksView }): ReactNode {
  return (
    <Section id="runner" title="The server's runner" note="It runs what `licet check --on-server` asks for, and makes drawn checks again. Whoever runs the server sets its bounds.">
      <List size="sm">
        {runnerText(view.runner).map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
    </Section>
  );
}

function Whole({ view }: { readonly view: ChecksView }): ReactNode {
  return (
    <Stack key={view.release.digest}>
      <Head view={view} />
      <Owed view={view} />
      <Section id="results" title="Results" note="The shaded side of each limit passes. The bound of the interval, not the estimate, is held against the limit.">
        {view.checks.length === 0 ? null : (
          <Text fw={600} role="status" size="sm">
            {summaryText(view.checks)}
          </Text>
        )}
        <CheckRows view={view} />
      </Section>
      <Comparison view={view} />
      <Attempts view={view} />
      <Reuse view={view} />
      <RunnerState view={view} />
    </Stack>
  );
}

/** All about the checks of one release. */
export function ChecksPage(): ReactNode {
  const { system } = useParams({ from: "/systems/$system/checks" });
  const { release } = useSearch({ from: "/systems/$system/checks" });
  const query = useRoute("showChecks", { params: { space, system }, query: release === undefined ? {} : { release } });
  return (
    <Loaded query={query} title="Checks">
      {(view) => <Whole view={view} />}
    </Loaded>
  );
}
