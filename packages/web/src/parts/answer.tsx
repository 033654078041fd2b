import { Alert, Button, Group, Select, Text, Textarea } from "@mantine/core";
import { startAuthentication } from "@simplewebauthn/browser";
import type { ApprovingRole, RequestView } from "@licet/contract";
import { approvingRoles } from "@licet/contract";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { client, explain, space, useRoute } from "../api.ts";
import { labelOf, tones } from "../theme.ts";
import { Section } from "./states.tsx";

type AnswerWord = "approve" | "return" | "refuse";

interface Given {
  readonly request: string;
  readonly role: ApprovingRole;
  readonly answer: AnswerWord;
  readonly comment: string;
}

/** With a passkey the person signs the statement's digest; without one the server asserts who answered. */
async function give({ request, role, answer, comment }: Given): Promise<RequestView> {
  const params = { space, request };
  const draft = await client("draftApproval", { params, body: { role, answer, comment } });
  if (draft.allowCredentials.length === 0) {
    return client("giveApproval", { params, body: { role, answer, comment, statement: draft.statement } });
  }
  const assertion = await startAuthentication({
    optionsJSON: {
      challenge: draft.challenge,
      rpId: location.hostname,
      userVerification: "required",
      allowCredentials: draft.allowCredentials.map((id) => ({ id, type: "public-key" as const })),
    },
  });
  return client("giveApproval", { params, body: { role, answer, comment, statement: draft.statement, assertion: { ...assertion } } });
}

const buttons: readonly { readonly answer: AnswerWord; readonly label: string; readonly color: string; readonly variant: "filled" | "default" }[] = [
  { answer: "approve", label: "Approve", color: tones.good, variant: "filled" },
  { answer: "return", label: "Return for changes", color: tones.calm, variant: "default" },
  { answer: "refuse", label: "Refuse", color: tones.bad, variant: "filled" },
];

export function Answer({ request }: { readonly request: RequestView }): ReactNode {
  const queue = useRoute("showQueue", { params: { space } });
  const queries = useQueryClient();
  const mine = queue.data?.items.find((item) => item.request.id === request.id);
  const roles = approvingRoles.filter((role) => mine?.roles.includes(role));
  const [chosen, setChosen] = useState<ApprovingRole | null>(null);
  const [comment, setComment] = useState("");
  const send = useMutation({ mutationFn: give, onSuccess: () => queries.invalidateQueries() });
  const role = chosen ?? roles[0];
  if (mine === undefined || role === undefined) return null;
  if (!mine.mayAnswer) {
    return (
      <Alert color={tones.wait} title="You cannot answer this request">
        {mine.why}
      </Alert>
    );
  }
  const failed = send.error === null ? undefined : explain(send.error);
  return (
    <Section title="Your answer" note="It is signed over this request, release, stage, the facts and the policies as they stand now.">
      {failed === undefined ? null : (
        <Alert color={tones.bad} title={failed.code} role="alert">
          {failed.text} {failed.fix}
        </Alert>
      )}
      {roles.length > 1 ? <Select label="Answer as" data={roles.map((value) => ({ value, label: labelOf(value) }))} value={role} onChange={(value) => setChosen(roles.find((item) => item === value) ?? null)} w={280} /> : <Text size="sm">You answer as {labelOf(role)}.</Text>}
      <Textarea label="Comment" description="Kept with the statement; a return or a refusal needs one" value={comment} onChange={(event) => setComment(event.currentTarget.value)} autosize minRows={2} />
      <Group>
        {buttons.map((button) => (
          <Button key={button.answer} color={button.color} variant={button.variant} loading={send.isPending} disabled={button.answer !== "approve" && comment.trim() === ""} onClick={() => send.mutate({ request: request.id, role, answer: button.answer, comment })}>
            {button.label}
          </Button>
        ))}
      </Group>
    </Section>
  );
}
