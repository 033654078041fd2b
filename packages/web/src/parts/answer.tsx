import { Alert, Button, Group, NativeSelect, Stack, Text, Textarea } from "@mantine/core";
import { ApiError } from "@licet/client";
import { approvingRoles, type ApprovingRole, type RequestView } from "@licet/contract";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { client, space, useRoute } from "../api.ts";
import { signChallenge } from "../session.ts";
import { labelOf, tones } from "../theme.ts";
import { Dialog } from "./dialog.tsx";
import { drafted, laidOut, type AnswerWord, type Draft, type Drafted } from "./drafted.ts";
import { FreshSignIn, needsFreshSignIn } from "./fresh-sign-in.tsx";
import { PageLink } from "./links.tsx";
import { Failure, Section } from "./states.tsx";
import { Digest, Field, Word } from "./words.tsx";

/** With a passkey the person signs the statement's digest; without one the server asserts who answered. */
async function sign({ given, draft }: Drafted): Promise<RequestView> {
  const { request, ...body } = given;
  const params = { space, request };
  const { statement, challenge, allowCredentials } = draft;
  if (allowCredentials.length === 0) return client("giveApproval", { params, body: { ...body, statement } });
  const assertion = await signChallenge(challenge, allowCredentials);
  return client("giveApproval", { params, body: { ...body, statement, assertion: { ...assertion } } });
}

function Signed({ draft }: { readonly draft: Draft }): ReactNode {
  return (
    <>
      <Field name="Digest">
        <Digest value={draft.digest} />
      </Field>
      <Text component="pre" ff="monospace" size="xs" className="exact" p="sm" m={0} mah={320} style={{ overflow: "auto", border: "1px solid var(--mantine-color-default-border)", borderRadius: 6 }} tabIndex={0} role="region" aria-label="statement to sign">
        {laidOut(draft.statement)}
      </Text>
      {draft.allowCredentials.length === 0 ? (
        <Text size="sm">
          You have no passkey, so the record will say <b>server-asserted</b>: the server vouches that it was you. <PageLink to="/account">Add a passkey</PageLink> to sign it yourself.
        </Text>
      ) : (
        <Text size="sm">Your passkey signs this digest; anybody can check it later without trusting this server.</Text>
      )}
    </>
  );
}

const verbs: Readonly<Record<AnswerWord, string>> = { approve: "Approve", return: "Return for changes", refuse: "Refuse" };

function Review({ value, close }: { readonly value: Drafted; readonly close: () => void }): ReactNode {
  const queries = useQueryClient();
  const send = useMutation({ mutationFn: sign, onSuccess: () => [close(), queries.invalidateQueries()] });
  const changed = send.error instanceof ApiError && send.error.code === "approval_statement_changed";
  const { given, draft } = value;
  return (
    <Stack>
      <Text size="sm">
        You answer as {labelOf(given.role)}: <Word value={given.answer} /> This is the exact statement, laid out for reading; your browser has checked that the digest is its own.
      </Text>
      <Signed draft={draft} />
      {send.isError ? <Failure error={send.error} /> : null}
      <Group>
        <Button color={given.answer === "approve" ? tones.good : tones.bad} loading={send.isPending} disabled={changed} onClick={() => send.mutate(value)} data-autofocus>
          {verbs[given.answer]} {draft.allowCredentials.length === 0 ? "and record it" : "and sign with passkey"}
        </Button>
        <Button variant="default" onClick={close}>
          Back
        </Button>
      </Group>
    </Stack>
  );
}

function Form({ request, roles }: { readonly request: RequestView; readonly roles: readonly ApprovingRole[] }): ReactNode {
  const [chosen, setChosen] = useState<string>("");
  const [comment, setComment] = useState("");
  const role = roles.find((item) => item === chosen) ?? roles[0];
  const draft = useMutation({ mutationFn: drafted });
  if (role === undefined) return null;
  const begin = (answer: AnswerWord): void => draft.mutate({ request: request.id, role, answer, comment });
  return (
    <Section title="Your answer" note="It holds for this request, release, stage, facts and policies as they stand now; the statement is shown before you sign.">
      {needsFreshSignIn(draft.error) ? <FreshSignIn done={draft.reset} /> : draft.isError ? <Failure error={draft.error} /> : null}
      {roles.length > 1 ? <NativeSelect label="Answer as" data={roles.map((value) => ({ value, label: labelOf(value) }))} value={role} onChange={(event) => setChosen(event.currentTarget.value)} w={280} /> : <Text size="sm">You answer as {labelOf(role)}.</Text>}
      <Textarea label="Comment" description="Kept with the statement; a return or a refusal needs one" rows={3} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
      <Group>
        <Button color={tones.good} loading={draft.isPending} onClick={() => begin("approve")}>
          Approve…
        </Button>
        <Button variant="default" loading={draft.isPending} disabled={comment.trim() === ""} onClick={() => begin("return")}>
          Return for changes…
        </Button>
        <Button color={tones.bad} variant="light" loading={draft.isPending} disabled={comment.trim() === ""} onClick={() => begin("refuse")}>
          Refuse…
        </Button>
      </Group>
      <Dialog opened={draft.data !== undefined} onClose={draft.reset} title={request.title} size="lg">
        {draft.data === undefined ? null : <Review value={draft.data} close={draft.reset} />}
      </Dialog>
    </Section>
  );
}

export function Answer({ request }: { readonly request: RequestView }): ReactNode {
  const queue = useRoute("showQueue", { params: { space } });
  const mine = queue.data?.items.find((item) => item.request.id === request.id);
  const roles = approvingRoles.filter((role) => mine?.roles.includes(role));
  if (mine === undefined || roles.length === 0) return null;
  if (mine.mayAnswer) return <Form request={request} roles={roles} />;
  return (
    <Alert color={tones.calm} title="Nothing to answer for you here">
      {mine.why}
    </Alert>
  );
}
