import { Alert, Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useRoute } from "../api.ts";
import { Loaded, Section } from "../parts/states.tsx";
import { Age, Field, Word } from "../parts/words.tsx";
import { addPasskey } from "../session.ts";
import { tones } from "../theme.ts";

function Passkeys({ count }: { readonly count: number }): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState("this device");
  const add = useMutation({ mutationFn: () => addPasskey(name), onSuccess: () => queries.invalidateQueries() });
  return (
    <Section title="Passkeys" note="With a passkey an approval is signed by you, not only asserted by the server.">
      <Text size="sm">{count === 0 ? "You have no passkey yet." : `You have ${count} ${count === 1 ? "passkey" : "passkeys"}.`}</Text>
      {add.isError ? (
        <Alert color={tones.bad} role="alert">
          {add.error.message}
        </Alert>
      ) : null}
      <Group align="flex-end">
        <TextInput label="Name of the new passkey" value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Button onClick={() => add.mutate()} loading={add.isPending}>
          Add a passkey
        </Button>
      </Group>
    </Section>
  );
}

export function Account(): ReactNode {
  const session = useRoute("showSession", {});
  return (
    <Loaded query={session}>
      {(data) => (
        <Stack>
          <Title order={1} size="h2">
            Account
          </Title>
          <Section title="You">
            <Field name="Name">{data.person?.name}</Field>
            <Field name="E-mail">{data.person?.email}</Field>
            <Field name="Signed in">
              {data.authenticatedAt === null ? "no" : <Age since={data.authenticatedAt} />} by {data.method}; approvals need a sign-in not older than 15 minutes
            </Field>
            {data.spaces.map((member) => (
              <Field key={member.space} name={`Roles in ${member.space}`}>
                <Group gap={4}>
                  {member.roles.map((role) => (
                    <Word key={role} value={role} />
                  ))}
                </Group>
              </Field>
            ))}
          </Section>
          <Passkeys count={data.passkeys} />
        </Stack>
      )}
    </Loaded>
  );
}
