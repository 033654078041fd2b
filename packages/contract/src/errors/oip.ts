import type { ErrorTable } from "./table.ts";

/** Refusals of the Open Inference Protocol's surface. */
export const oipErrors = {
  binary_data_unsupported: {
    status: 415,
    what: "the request uses the binary tensor data extension",
    why: "tensors that no reader here understands cannot be checked, so they are not passed on",
    fix: "send the tensors as JSON, without `binary_data`, `binary_data_size` and the `Inference-Header-Content-Length` header",
  },
  tensor_invalid: {
    status: 400,
    what: "a tensor's data does not fit its shape and datatype",
    why: "what is recorded and checked must be what the model reads",
    fix: "correct the tensor that `param` names: the product of its shape is the number of its elements, each of its datatype",
  },
} as const satisfies ErrorTable;
