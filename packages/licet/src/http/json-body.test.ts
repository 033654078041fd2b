import { fastify } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readJsonBodies } from "./json-body.ts";

const app = fastify({ logger: false });
beforeAll(async () => {
  readJsonBodies(app);
  app.post("/", async ({ body }) => ({ keys: typeof body === "object" && body !== null ? Object.keys(body) : null }));
  await app.ready();
});
afterAll(() => app.close());

const sent = (payload: string) => app.inject({ method: "POST", url: "/", headers: { "content-type": "application/json" }, payload });

test("a body has the keys that it says, whatever another body said before it", async () => {
  expect((await sent('{"a":0,"\\\\":0}')).json()).toEqual({ keys: ["a", "\\"] });
  expect((await sent('{"a":0,"\\n":0}')).json()).toEqual({ keys: ["a", "\n"] });
  expect((await sent('{"a":0,"\\u00e9":0}')).json()).toEqual({ keys: ["a", "é"] });
});

test.each(["", "{", '{"a\\n":1', '{"__proto__":{}}', '{"a":[{"\\u005f_proto__":1}]}', '{"a":{"constructor":{"prototype":{}}}}'])("%j is refused", async (payload) => {
  expect((await sent(payload)).statusCode).toBeGreaterThanOrEqual(400);
});

test("a member that is only called constructor is no reach for a prototype", async () => {
  expect((await sent('{"constructor":"Ada Builders","a":{"constructor":{"name":"x"}}}')).json()).toEqual({ keys: ["constructor", "a"] });
});
