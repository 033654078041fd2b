import { z } from "zod";

export const textLengthMax = 4000;
export const pathLengthMax = 500;
export const componentsMax = 10_000;

/** One or more sentences for people. */
export const Prose = z.string().regex(/\S/u, "some text").max(textLengthMax);

/** A path below the manifest's folder, with forward slashes. Escaping the folder is refused when the file is read. */
export const RelativePath = z
  .string()
  .min(1)
  .max(pathLengthMax)
  .meta({ description: "a path below the manifest's folder, with forward slashes" });

/** A short name that other tools chose: a provider's model id, a vendor, a place. */
export const Label = z.string().regex(/\S/u, "some text").max(200);

/** Immaterial text about one component. */
export const Description = Prose.optional().meta({
  title: "Description",
  description: "for readers; editing it makes no new release",
});
