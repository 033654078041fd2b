import { Button, Code, Group, Select, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { RouteAnswer } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { LiftHold } from "../parts/lift-hold.tsx";
import { PageLink } from "../parts/links.tsx";
import { Age } from "../parts/moments.tsx";
import { Empty, Failure, Loaded, PageTitle } from "../parts/states.tsx";
import { Rows, usePaging } from "../parts/tables.tsx";
import { Word } from "../parts/words.tsx";
import { tones } from "../theme.ts";
import { useWho } from "../who.ts";

type Hold = RouteAnswer<"placeHold">;

const scopes = [
  { value: "system", label: "One system" },
  { value: "vendor", label: "A vendor: every call to its models" },
  { value: "all", label: "Everything in this space" },
] as const;
type Scope = (typeof scopes)[number]["value"];

interface Picked {
  readonly scope: Scope;
  readonly name: string | null;
}

function namedBody({ scope, name }: Picked, reason: string): Parameters<ReturnType<typeof useChange<"placeHold">>["mutate"]>[0]["body"] {
  return { scope, reason, ...(scope === "system" && name !== null && { system: name }), ...(scope === "vendor" && name !== null && { vendor: name }) };
}

function Target({ picked, onPick }: { readonly picked: Picked; readonly onPick: (name: string | null) => void }): ReactNode {
  const { may } = useWho();
  const systems = useRoute("listSystems", { params: { space }, query: { limit: 100 } }, { enabled: picked.scope === "system" });
  const providers = useRoute("listProviders", { params: { space } }, { enabled: picked.scope === "vendor" && may("provider.read") });
  if (picked.scope === "all") return null;
  const names = picked.scope === "system" ? systems.data?.items.map(({ name }) => name) : providers.data?.items.map(({ vendor }) => vendor);
  const nothing = picked.scope === "system" ? "no such system" : "no provider of such a vendor is registered";
  return <Select label={picked.scope === "system" ? "System" : "Vendor"} required searchable data={[...new Set(names)]} value={picked.name} onChange={onPick} nothingFoundMessage={nothing} />;
}

function PlaceHold(): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  const [picked, pick] = useState<Picked>({ scope: "system", name: null });
  const [reason, setReason] = useState("");
  const place = useChange("placeHold");
  const isMissing = reason.trim() === "" || (picked.scope !== "all" && picked.name === null);
  const stop = (): void => place.mutate({ params: { space }, body: namedBody(picked, reason) }, { onSuccess: () => [setReason(""), pick({ scope: "system", name: null }), close()] });
  return (
    <>
      <Button color={tones.bad} onClick={open}>
        Stop traffic
      </Button>
      <Dialog opened={opened} onClose={close} title="Stop traffic now">
        <Stack>
          <Text size="sm">The next call is refused within a second and running answers are cut. Lifting the hold needs another person.</Text>
          {place.isError ? <Failure error={place.error} /> : null}
          <Select label="What" data={scopes} value={picked.scope} allowDeselect={false} onChange={(value) => pick({ scope: scopes.find((each) => each.value === value)?.value ?? "system", name: null })} />
          <Target picked={picked} onPick={(name) => pick({ ...picked, name })} />
          <Textarea label="Reason" required value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button color={tones.bad} disabled={isMissing} loading={place.isPending} onClick={stop}>
            Stop it
          </Button>
        </Stack>
      </Dialog>
    </>
  );
}

function What({ hold }: { readonly hold: Hold }): ReactNode {
  if (hold.system === null) return hold.vendor === null ? "everything" : `vendor ${hold.vendor}`;
  return (
    <PageLink to="/systems/$system" params={{ system: hold.system }} size="sm">
      {hold.system}
    </PageLink>
  );
}

function Ended({ hold, mayLift }: { readonly hold: Hold; readonly mayLift: boolean }): ReactNode {
  if (hold.liftedAt === null) return mayLift ? <LiftHold hold={hold.id} /> : null;
  return (
    <Text size="sm">
      {hold.liftedBy}, <Age since={hold.liftedAt} />
    </Text>
  );
}

/** What is stopped, and what was; newest first. */
export function HoldsPage(): ReactNode {
  const paging = usePaging();
  const { may } = useWho();
  const holds = useRoute("listHolds", { params: { space }, query: { limit: 20, ...paging.query } }, { keep: true });
  return (
    <Stack>
      <Group justify="space-between">
        <PageTitle>Holds</PageTitle>
        {may("hold.place") ? <PlaceHold /> : null}
      </Group>
      <Loaded query={holds}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty title="Nothing was ever stopped">
              A hold stops a system, a vendor or everything within a second: here, on a system's page, or with <Code>licet hold place</Code>.
            </Empty>
          ) : (
            <>
              <Rows
                label="holds"
                head={["State", "What", "Reason", "Placed", "Lifted"]}
                empty=""
                rows={items.map((hold) => ({
                  key: hold.id,
                  cells: [
                    <Word key="s" value={hold.liftedAt === null ? "held" : "lifted"} />,
                    <What key="w" hold={hold} />,
                    hold.reason,
                    <Text key="p" size="sm">
                      {hold.placedBy}, <Age since={hold.placedAt} />
                    </Text>,
                    <Ended key="l" hold={hold} mayLift={may("hold.lift")} />,
                  ],
                }))}
              />
              {paging.bar(next)}
            </>
          )
        }
      </Loaded>
    </Stack>
  );
}
