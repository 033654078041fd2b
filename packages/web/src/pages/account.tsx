import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { useRoute } from "../api.ts";
import { FreshSignIn, needsFreshSignIn } from "../parts/fresh-sign-in.tsx";
import { Age, Moment } from "../parts/moments.tsx";
import { Failure, Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Field, Word } from "../parts/words.tsx";
import { addPasskey, listPasskeys, removePasskey } from "../session.ts";
import { tones } from "../theme.ts";

function AddPasskey(): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState("this device");
  const add = useMutation({ mutationFn: () => addPasskey(name), onSuccess: () => queries.invalidateQueries() });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <>
      {needsFreshSignIn(add.error) ? <FreshSignIn done={add.reset} /> : add.isError ? <Failure error={add.error} /> : null}
      {add.isSuccess ? (
        <Text size="sm" role="status">
          Added. Your next approval is signed with it.
        </Text>
      ) : null}
      <form onSubmit={submit}>
        <Group align="flex-end">
          <TextInput label="Name of the new passkey" required maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Button type="submit" loading={add.isPending}>
            Add a passkey
          </Button>
        </Group>
      </form>
    </>
  );
}

function Passkeys(): ReactNode {
  const queries = useQueryClient();
  const keys = useQuery({ queryKey: ["passkeys"], queryFn: listPasskeys });
  const [sure, setSure] = useState("");
  const remove = useMutation({ mutationFn: removePasskey, onSuccess: () => queries.invalidateQueries() });
  return (
    <Section title="Passkeys" note="With a passkey an approval is signed by you, not only asserted by the server.">
      {needsFreshSignIn(remove.error) ? <FreshSignIn done={remove.reset} /> : remove.isError ? <Failure error={remove.error} /> : null}
      <Loaded query={keys}>
        {(items) => (
          <Rows
            label="passkeys"
            head={["Name", "Added", "Remove"]}
            empty="You have no passkey yet."
            rows={items.map((key) => ({
              key: key.id,
              cells: [
                key.name,
                key.createdAt === null ? null : <Age key="a" since={key.createdAt} />,
                <Button key="r" size="compact-xs" variant={sure === key.id ? "filled" : "light"} color={sure === key.id ? tones.bad : tones.calm} loading={remove.isPending} onClick={() => (sure === key.id ? remove.mutate(key.id) : setSure(key.id))}>
                  {sure === key.id ? "really remove" : "remove"}
                </Button>,
              ],
            }))}
          />
        )}
      </Loaded>
      <AddPasskey />
    </Section>
  );
}

export function Account(): ReactNode {
  const session = useRoute("showSession", {});
  return (
    <Stack>
      <PageTitle>Account</PageTitle>
      <Loaded query={session}>
        {(data) => (
          <Section title="You">
            <Field name="Name">{data.person?.name}</Field>
            <Field name="E-mail">{data.person?.email}</Field>
            <Field name="Signed in">
              {data.authenticatedAt === null ? "no" : <Moment at={data.authenticatedAt} />}, by {data.method}. Approvals and changes to passkeys need a sign-in of the last 15 minutes.
            </Field>
            {data.spaces.map((member) => (
              <Field key={member.space} name={`Roles in ${member.space}`}>
                <Group gap={4}>{member.roles.length === 0 ? "none yet" : member.roles.map((role) => <Word key={role} value={role} />)}</Group>
              </Field>
            ))}
          </Section>
        )}
      </Loaded>
      <Passkeys />
    </Stack>
  );
}
