import { Alert, Button, Code, CopyButton, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { roles, type Role, type RouteAnswer } from "@licet/contract";
import { useState, type FormEvent, type ReactNode } from "react";
import { space, useChange, useRoute } from "../api.ts";
import { PageLink } from "../parts/links.tsx";
import { Moment } from "../parts/moments.tsx";
import { Failure, Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows, usePaging } from "../parts/tables.tsx";
import { Word } from "../parts/words.tsx";
import { labelOf, tones } from "../theme.ts";
import { useWho } from "../who.ts";

type Person = RouteAnswer<"listPeople">["items"][number];

function Invited({ answer }: { readonly answer: RouteAnswer<"addPerson"> }): ReactNode {
  if (answer.invitation === "") {
    return (
      <Alert color={tones.good} title={`${answer.person.email} is in this space now`} role="status">
        They have an account already and sign in with it.
      </Alert>
    );
  }
  const link = `${location.origin}/invitation#token=${answer.invitation}`;
  return (
    <Alert color={tones.good} title={`Send this link to ${answer.person.email}: it is shown once`} role="status">
      <Stack gap="xs">
        <Code block className="exact">
          {link}
        </Code>
        <Group>
          <CopyButton value={link}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? "Copied" : "Copy the link"}
              </Button>
            )}
          </CopyButton>
          <Text size="sm">
            It works once, until <Moment at={answer.expiresAt} />.
          </Text>
        </Group>
      </Stack>
    </Alert>
  );
}

function AddPerson(): ReactNode {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const add = useChange("addPerson");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate({ params: { space }, body: { name, email } }, { onSuccess: () => [setName(""), setEmail("")] });
  };
  return (
    <Section title="Add a person" note="You get a one-time link; they choose their own password with it.">
      {add.isError ? <Failure error={add.error} /> : null}
      {add.data === undefined ? null : <Invited answer={add.data} />}
      <form onSubmit={submit}>
        <Group align="flex-end">
          <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput label="E-mail" type="email" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <Button type="submit" loading={add.isPending}>
            Invite
          </Button>
        </Group>
      </form>
    </Section>
  );
}

function GrantRole({ people }: { readonly people: readonly Person[] }): ReactNode {
  const [person, setPerson] = useState("");
  const [role, setRole] = useState<Role>("developer");
  const grant = useChange("grantRole");
  const chosen = people.find((item) => item.id === person) ?? people[0];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (chosen !== undefined) grant.mutate({ params: { space, person: chosen.id }, body: { role } });
  };
  return (
    <Section title="Give a role" note="A gate move: as soon as anybody else could agree, somebody else has to.">
      {grant.isError ? <Failure error={grant.error} /> : null}
      {grant.data === undefined ? null : (
        <Alert color={grant.data.done ? tones.good : tones.wait} title={grant.data.done ? "Given" : "Waits for another person's approval"} role="status">
          <PageLink to="/requests/$request" params={{ request: grant.data.request.id }} size="sm">
            {grant.data.request.title}
          </PageLink>
        </Alert>
      )}
      <form onSubmit={submit}>
        <Group align="flex-end">
          <NativeSelect label="Person" value={chosen?.id ?? ""} data={people.map(({ id, email }) => ({ value: id, label: email }))} onChange={(event) => setPerson(event.currentTarget.value)} />
          <NativeSelect label="Role" value={role} data={roles.map((value) => ({ value, label: labelOf(value) }))} onChange={(event) => setRole(roles.find((item) => item === event.currentTarget.value) ?? role)} />
          <Button type="submit" loading={grant.isPending}>
            Give the role
          </Button>
        </Group>
      </form>
    </Section>
  );
}

function HeldRoles({ person, mayChange }: { readonly person: Person; readonly mayChange: boolean }): ReactNode {
  const revoke = useChange("revokeRole");
  const [sure, setSure] = useState<Role | null>(null);
  if (person.roles.length === 0) return <Text size="sm">none yet</Text>;
  return (
    <Stack gap={4}>
      {revoke.isError ? <Failure error={revoke.error} /> : null}
      {person.roles.map(({ role, grantedBy }) => (
        <Group key={role} gap="xs">
          <Word value={role} />
          <Text size="xs" c="dimmed">
            by {grantedBy}
          </Text>
          {mayChange ? (
            <Button size="compact-xs" variant={sure === role ? "filled" : "light"} color={sure === role ? tones.bad : tones.calm} loading={revoke.isPending} onClick={() => (sure === role ? revoke.mutate({ params: { space, person: person.id, role } }) : setSure(role))} aria-label={`${sure === role ? "really take away" : "take away"} the role ${labelOf(role)} from ${person.email}`}>
              {sure === role ? "really take away" : "take away"}
            </Button>
          ) : null}
        </Group>
      ))}
    </Stack>
  );
}

export function People(): ReactNode {
  const paging = usePaging();
  const people = useRoute("listPeople", { params: { space }, query: { limit: 100, ...paging.query } }, { keep: true });
  const { may } = useWho();
  const mayChange = may("person.manage");
  return (
    <Stack>
      <PageTitle>People</PageTitle>
      {mayChange ? <AddPerson /> : null}
      <Loaded query={people}>
        {({ items, next }) => (
          <>
            {mayChange ? <GrantRole people={items} /> : null}
            <Section title="People and their roles">
              <Rows
                label="people"
                head={["Name", "E-mail", "Roles", "Account"]}
                empty="Nobody yet."
                rows={items.map((person) => ({ key: person.id, cells: [person.name, person.email, <HeldRoles key="r" person={person} mayChange={mayChange} />, person.invited ? "invited, not yet here" : "active"] }))}
              />
              {paging.bar(next)}
            </Section>
          </>
        )}
      </Loaded>
    </Stack>
  );
}
