import { z } from "zod";
import { Label } from "./text.ts";

/** From open to most sensitive. */
export const dataClasses = ["public", "internal", "confidential", "personal", "special"] as const;

export const DataClass = z.enum(dataClasses).meta({
  id: "DataClass",
  title: "Sensitivity class",
  description: "public, internal, confidential, personal or special (special-category or secret)",
});
export type DataClass = z.output<typeof DataClass>;

export const Region = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/u, "a region in lower case, such as `eu` or `eu-west-1`")
  .meta({ id: "Region", title: "Region", description: "where data may be processed, as providers are registered: eu, us, eu-west-1" });

export const SharingPath = z
  .strictObject({
    to: Label.meta({ title: "To", description: "who receives data" }),
    classes: z.array(DataClass).min(1).max(dataClasses.length).meta({ title: "Classes", description: "what they receive" }),
    region: Region.optional(),
  })
  .meta({ title: "Sharing path", description: "one way on which data leaves the system" });

/** What the system may touch, where, for how long, and to whom it goes. */
export const DataBoundary = z
  .strictObject({
    classes: z.array(DataClass).min(1).max(dataClasses.length).meta({
      title: "Classes",
      description: "every sensitivity class that the system may touch; the gateway refuses the others",
    }),
    regions: z.array(Region).min(1).max(50).meta({ title: "Regions", description: "where the data may be processed" }),
    retentionDays: z.int().min(0).max(36_500).meta({ title: "Retention", description: "days that inputs and outputs are kept" }),
    sharingPaths: z.array(SharingPath).max(100).meta({ title: "Sharing paths", description: "whom data goes to; [] for nobody" }),
  })
  .meta({ title: "Data boundary", description: "classes, regions, retention and sharing paths" });
export type DataBoundary = z.output<typeof DataBoundary>;
