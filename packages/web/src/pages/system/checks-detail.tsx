import { Code, Group, Stack, Text } from "@mantine/core";
import type { RecordedCheck, RouteAnswer } from "@licet/contract";
import { useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { Breakable, Word } from "../../parts/words.tsx";
import { HistoryPlot } from "./checks-plot.tsx";
import { OneResult } from "./checks-result.tsx";
import { boundText, limitText, producerText } from "./checks-words.ts";

type Page = RouteAnswer<"listCheckResults">;

function Head({ page, system, check }: { readonly page: Page; readonly system: string; readonly check: string }): ReactNode {
  const { declared, title } = page;
  return (
    <div>
      <PageTitle>{declared?.label ?? check}</PageTitle>
      <Group gap="xs" mt={4}>
        {(declared?.label ?? null) === null ? null : (
          <Text size="sm" c="dimmed">
            {check}
          </Text>
        )}
        {declared === null ? <Text size="sm">no longer declared by the newest release</Text> : <Code>{declared.check}</Code>}
        {declared === null ? null : (
          <Text size="sm">
            {limitText(declared.limit)} is asked{declared.advisory ? "; advisory: reported, not demanded" : ""}
          </Text>
        )}
        <PageLink to="/systems/$system/checks" params={{ system }} size="sm">
          {`all checks of ${title}`}
        </PageLink>
      </Group>
    </div>
  );
}

function historyRow(row: RecordedCheck, { system, check, chosen }: { readonly system: string; readonly check: string; readonly chosen: string }): { readonly key: string; readonly cells: readonly ReactNode[] } {
  return {
    key: row.id,
    cells: [
      <PageLink key="r" to="/systems/$system/checks" params={{ system }} search={{ release: row.release }} size="sm" style={{ whiteSpace: "nowrap" }}>
        {`release ${row.releaseNumber}`}
      </PageLink>,
      <Word key="v" value={row.figures.verdict} />,
      boundText(row.figures),
      <div key="p" className="loose">
        <Text size="sm">
          <Breakable>{producerText(row)}</Breakable>
        </Text>
        <Text size="xs" c="dimmed">
          {row.counts ? "" : "does not count at the release's tier; "}attempt {row.attempt}
        </Text>
      </div>,
      <Age key="t" since={row.at} />,
      <EntryLink key="e" id={row.entry} />,
      row.id === chosen ? (
        <Text key="s" size="sm">
          above
        </Text>
      ) : (
        <PageLink key="s" to="/systems/$system/checks/$check" params={{ system, check }} search={{ result: row.id }} size="sm" aria-label={`show the result of attempt ${row.attempt} of release ${row.releaseNumber}`}>
          show
        </PageLink>
      ),
    ],
  };
}

/** Of the address: the result that is shown in full, where it is not the newest. */
function useAddress(): { readonly system: string; readonly check: string; readonly result: string | undefined } {
  const { system, check } = useParams({ from: "/systems/$system/checks/$check" });
  const { result } = useSearch({ from: "/systems/$system/checks/$check" });
  return { system, check, result };
}

function Whole({ page, bar }: { readonly page: Page; readonly bar: ReactNode }): ReactNode {
  const { system, check, result } = useAddress();
  const chosen = result ?? page.items[0]?.id;
  return (
    <Stack>
      <Head page={page} system={system} check={check} />
      {chosen === undefined ? null : <OneResult key={chosen} system={system} check={check} result={chosen} title={result === undefined ? "Newest result" : "Result"} />}
      <Section id="history" title="History" note="All results over the releases of this system. The shaded side of each limit passes.">
        <HistoryPlot items={page.items} />
        <Rows
          label="history"
          head={["Release", "Verdict", "Against the limit", "Produced by", "When", "Record", "In full"]}
          empty={
            <>
              No result yet. In the folder of licet.yaml: <Code>licet check</Code>, or <Code>licet check --on-server</Code> above minimal tier.
            </>
          }
          rows={page.items.map((row) => historyRow(row, { system, check, chosen: chosen ?? "" }))}
        />
        {bar}
      </Section>
    </Stack>
  );
}

/** One check over all releases of its system. */
export function CheckPage(): ReactNode {
  const { system, check } = useAddress();
  const paging = usePaging();
  const query = useRoute("listCheckResults", { params: { space, system, check }, query: { limit: 20, ...paging.query } }, { keep: true });
  return (
    <Loaded query={query} title="Check">
      {(page) => <Whole page={page} bar={paging.bar(page.next)} />}
    </Loaded>
  );
}
