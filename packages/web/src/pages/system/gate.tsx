import { Alert, Button, Group, SegmentedControl, Text } from "@mantine/core";
import type { GateAnswer, RequestView, SystemRow, TrafficStage } from "@licet/contract";
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../../api.ts";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Requirements } from "../../parts/requirements.tsx";
import { Failure, Loaded, Section } from "../../parts/states.tsx";
import { tones } from "../../theme.ts";
import { useWho } from "../../who.ts";

function useOpenRequests(system: string): readonly RequestView[] {
  const requests = useRoute("listRequests", { params: { space }, query: { status: "open", limit: 50 } });
  return requests.data?.items.filter((item) => item.system === system) ?? [];
}

function OpenRequests({ system }: { readonly system: string }): ReactNode {
  return useOpenRequests(system).map((request) => (
    <Alert key={request.id} color={tones.wait} title="Asked for, and waiting for an answer">
      <PageLink to="/requests/$request" params={{ request: request.id }} size="sm">
        {request.title}
      </PageLink>{" "}
      <Text size="sm" span>
        by {request.requestedBy}, <Age since={request.requestedAt} />
      </Text>
    </Alert>
  ));
}

function Ask({ gate }: { readonly gate: GateAnswer }): ReactNode {
  const ask = useChange("requestPromotion");
  const navigate = useNavigate();
  const { system, to, environment } = gate;
  const asked = useOpenRequests(system).some((item) => item.stage === to && item.environment === environment);
  if (asked) return null;
  const send = (): void => {
    ask.mutate({ params: { space, system }, body: { to, environment } }, { onSuccess: (request) => void navigate({ to: "/requests/$request", params: { request: request.id } }) });
  };
  return (
    <>
      {ask.isError ? <Failure error={ask.error} /> : null}
      <Button size="xs" w="fit-content" variant="default" loading={ask.isPending} onClick={send}>
        Ask for {to} in {environment}
      </Button>
    </>
  );
}

export function Gate({ system }: { readonly system: SystemRow }): ReactNode {
  const [chosen, setChosen] = useState<TrafficStage | null>(null);
  const to = chosen ?? system.next ?? "production";
  const gate = useRoute("askGate", { params: { space, system: system.name }, query: { to } }, { keep: true });
  const { email, may } = useWho();
  return (
    <Section id="requirements" title="Requirements" note="Computed from the record; nobody can tick one off.">
      <OpenRequests system={system.name} />
      <Group gap="sm">
        <SegmentedControl
          aria-label="stage"
          size="xs"
          data={["experiment", "pilot", "production"]}
          value={to}
          onChange={(value) => {
            if (value === "experiment" || value === "pilot" || value === "production") setChosen(value);
          }}
        />
      </Group>
      <Loaded query={gate}>
        {({ answer }) => (
          <>
            <Requirements gate={answer} me={email} />
            {may("promotion.request") ? <Ask gate={answer} /> : null}
          </>
        )}
      </Loaded>
    </Section>
  );
}
