import type { Dialect } from "../dialect.ts";
import { countTokens, messages } from "./anthropic/dialect.ts";
import { chatDialect } from "./chat/chat.ts";
import { embeddings } from "./embeddings/embeddings.ts";
import { responses } from "./responses/dialect.ts";

/** Every surface that calls a model. */
export const dialects: readonly Dialect[] = [chatDialect, responses, embeddings, messages, countTokens];
