/**
 * cedar-wasm, which in the mutation runner is asked the same questions for each mutant: no mutant changes its answers, so
 * each is asked once.
 */
import * as wasm from "@cedar-policy/cedar-wasm/nodejs";

export * from "@cedar-policy/cedar-wasm/nodejs";

function asked<Question, Answer>(ask: (question: Question) => Answer): (question: Question) => Answer {
  const answers = new Map<string, Answer>();
  return (question) => {
    const key = JSON.stringify(question);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(question);
    answers.set(key, answer);
    return answer;
  };
}

export const isAuthorized = asked(wasm.isAuthorized);
export const checkParseSchema = asked(wasm.checkParseSchema);
