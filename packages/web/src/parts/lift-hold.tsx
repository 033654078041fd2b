import { Button, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState, type ReactNode } from "react";
import { space, useChange } from "../api.ts";
import { Dialog } from "./dialog.tsx";
import { Failure } from "./states.tsx";

/** Lifting is a request that another person answers. */
export function LiftHold({ hold }: { readonly hold: string }): ReactNode {
  const [opened, { open, close }] = useDisclosure();
  const [reason, setReason] = useState("");
  const lift = useChange("liftHold");
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        Ask to lift it
      </Button>
      <Dialog opened={opened} onClose={close} title="Ask to lift the hold">
        <Stack>
          <Text size="sm">Another person has to agree; the request stands in their queue.</Text>
          {lift.isError ? <Failure error={lift.error} /> : null}
          <Textarea label="Reason" required data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button disabled={reason.trim() === ""} loading={lift.isPending} onClick={() => lift.mutate({ params: { space, hold }, body: { reason } }, { onSuccess: close })}>
            Ask
          </Button>
        </Stack>
      </Dialog>
    </>
  );
}
