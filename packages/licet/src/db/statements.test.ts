import fc from "fast-check";
import { expect, test } from "vitest";
import { statements } from "./statements.ts";

test("a semicolon inside quotes or comments does not end a statement", () => {
  const sql = `-- first; comment
create table a (x text default ';''--', "y;/*" text); /* ; */
insert into a values (1 - 2, 4/2);
`;
  expect(statements(sql)).toEqual([`create table a (x text default ';''--', "y;/*" text)`, "insert into a values (1 - 2, 4/2)"]);
});

test("what the engines do not share is refused", () => {
  expect(() => statements("create function f() returns int as $$ begin return 1; end $$")).toThrow(/triggers or functions/u);
  expect(() => statements("create trigger t after insert on a begin select 1; end")).toThrow(/triggers or functions/u);
});

test("whatever statements are joined come apart again", () => {
  const literal = fc.string().map((text) => `insert into a values ('${text.replaceAll("'", "''").replaceAll("$", "")}')`);
  fc.assert(
    fc.property(fc.array(literal), (all) => {
      expect(statements(all.map((one) => `${one};`).join("\n-- it's; \n"))).toEqual(all);
    }),
  );
});

test("an unclosed quote is refused rather than run in part", () => {
  expect(() => statements("insert into a values ('x); insert into b values (1)")).toThrow(/quote/u);
});
