import type { ErrorTable } from "./table.ts";

/** Who is asking, what they may do, and where the request comes from. */
export const identityErrors = {
  not_signed_in: {
    status: 401,
    what: "nobody is signed in with this request",
    why: "who acts stands in the record, so every act needs a person",
    fix: "sign in on the page, run `licet login`, or set LICET_TOKEN",
  },
  sign_in_failed: {
    status: 401,
    what: "the e-mail address and password, or the passkey, do not match an account",
    why: "the answer does not say which of them was wrong, so that accounts cannot be guessed",
    fix: "check both and try again, or ask an administrator for a new invitation",
  },
  too_many_attempts: {
    status: 429,
    what: "too many failed attempts to sign in",
    why: "unlimited attempts would let somebody guess a password",
    fix: "wait until the time in the `Retry-After` header has passed, then try again",
  },
  session_too_old: {
    status: 403,
    what: "this needs a sign-in of the last 15 minutes",
    why: "a session that somebody left open must not change how its owner signs in",
    fix: "sign in again and repeat it",
  },
  permission_denied: {
    status: 403,
    what: "your roles do not allow this",
    why: "each act needs a role that holds its permission, so that duties stay separate",
    fix: "ask a person with one of the named roles to do it, or an administrator for the role",
  },
  origin_refused: {
    status: 403,
    what: "the request comes from a page of another origin",
    why: "another site could otherwise act with the session of whoever visits it",
    fix: "open the page at the server's own address, or send a bearer token instead of a cookie",
  },
  host_refused: {
    status: 421,
    what: "the server does not answer under this host name",
    why: "a foreign name that resolves to this machine is how a web site reaches services on loopback",
    fix: "use the address that the server printed, or set LICET_BASE_URL to the name that people use",
  },
  content_type_refused: {
    status: 415,
    what: "the body has a content type that this route does not take",
    why: "a body that is guessed at can be read in two ways",
    fix: "send `application/json`, or `application/octet-stream` where the route takes bytes",
  },
  link_invalid: {
    status: 410,
    what: "this one-time link is unknown, used up or has expired",
    why: "a link that works twice could be used by somebody else",
    fix: "restart the server for a new set-up link, or ask an administrator for a new invitation",
  },
  setup_not_local: {
    status: 403,
    what: "the set-up link works only on the machine that the server runs on",
    why: "whoever reaches an empty installation first would own it",
    fix: "open the link on that machine, or forward its port with `ssh -L`",
  },
  setup_closed: {
    status: 409,
    what: "this installation is set up already",
    why: "the first account is made once; every other one is invited",
    fix: "sign in, or ask an administrator for an invitation",
  },
  person_exists: {
    status: 409,
    what: "a person with this e-mail address is already in the space",
    why: "two entries for one person would let them approve their own work",
    fix: "grant the role to the person who is there",
  },
  password_set_already: {
    status: 409,
    what: "this person already has a password",
    why: "an invitation must not become a way to take over an account",
    fix: "sign in with that password",
  },
  role_held_already: {
    status: 409,
    what: "the person already holds this role",
    why: "granting it again would hide who granted it first",
    fix: "there is nothing to do",
  },
  role_conflict: {
    status: 409,
    what: "these two roles do not go together",
    why: "administrators hand out roles, so they hold none that approves: otherwise one person could do both",
    fix: "give the role to another person, or take the other role away first",
  },
  role_not_held: {
    status: 409,
    what: "the person does not hold this role",
    why: "the record only takes back what it has given",
    fix: "read the list of people again",
  },
  last_administrator: {
    status: 409,
    what: "this is the last administrator of the space",
    why: "without one, nobody could ever be invited again",
    fix: "make another person administrator first",
  },
} as const satisfies ErrorTable;
