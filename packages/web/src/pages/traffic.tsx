import { Button, Group, Stack, Text } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { zone } from "../parts/amounts.ts";
import { PageTitle } from "../parts/states.tsx";
import { tones } from "../theme.ts";
import { List } from "./traffic/list.tsx";
import { Summary } from "./traffic/summary.tsx";
import { periods, type TrafficSearch } from "./traffic/search.ts";

function Periods({ minutes, choose }: { readonly minutes: number; readonly choose: (minutes: number) => void }): ReactNode {
  return (
    <Group gap="xs" role="group" aria-label="period">
      {periods.map(([value, label]) => (
        <Button key={value} size="xs" radius="xl" aria-pressed={minutes === value} variant={minutes === value ? "filled" : "default"} color={tones.info} onClick={() => choose(value)}>
          {label}
        </Button>
      ))}
    </Group>
  );
}

/** What it shows stands in its address: it can be sent to somebody, and goes back with the browser. */
export function Traffic(): ReactNode {
  const search = useSearch({ from: "/traffic" });
  const navigate = useNavigate();
  const change = (to: TrafficSearch): void => {
    void navigate({ to: "/traffic", search: to, replace: true, resetScroll: false });
  };
  const minutes = search.minutes ?? 60;
  return (
    <Stack>
      <Group justify="space-between">
        <div>
          <PageTitle>Traffic</PageTitle>
          <Text size="sm" c="dimmed">
            Calls to models and decisions for applications, as they were recorded. Times are those of {zone}.
          </Text>
        </div>
        <Periods minutes={minutes} choose={(chosen) => change({ ...search, minutes: chosen })} />
      </Group>
      <Summary minutes={minutes} search={search} change={change} />
      <List key={`${search.system ?? ""} ${search.decision ?? ""} ${search.code ?? ""}`} search={search} change={change} />
    </Stack>
  );
}
