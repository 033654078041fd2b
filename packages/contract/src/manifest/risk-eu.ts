import { z } from "zod";
import { annexIIIUses, carveOutNames } from "./annex-iii.ts";

const asked = (id: string, question: string) => z.boolean().optional().meta({ title: id, description: question });

/**
 * Answers to the questions of the EU AI Act, `true` or `false`. Every question is asked by itself, so that
 * one added by a later law is unanswered in an older manifest, and not silently a no.
 */
export const EuAnswers = z
  .strictObject({
    scope: z
      .strictObject({
        aiSystem: asked("S1", "is it an AI system (infers outputs from input, with some autonomy)?"),
        inUnion: asked("S2", "placed on the EU market, used by someone in the EU, or its output used in the EU?"),
        excludedUse: asked("S3", "only military, defence or national security; or research before market; or personal use?"),
        openSource: asked("S4", "free and open-source release?"),
      })
      .optional()
      .meta({ title: "Scope", description: "does the Act apply" }),
    role: z
      .strictObject({
        provider: asked("R1", "do you develop it, or have it developed, and put it on the market or into service under your name?"),
        deployer: asked("R2", "do you use it under your authority in a professional setting?"),
        becomesProvider: asked("R3", "did you rename, substantially change or re-purpose a system so that you become its provider?"),
      })
      .optional()
      .meta({ title: "Role", description: "which duties are yours" }),
    prohibited: z
      .strictObject({
        manipulation: asked("P1", "manipulates below awareness or deceives so that serious harm follows?"),
        exploitsVulnerability: asked("P2", "exploits age, disability or hardship with serious harm?"),
        intimateMaterial: asked("P3", "generates or alters intimate material of an identifiable person without valid consent?"),
        childAbuseMaterial: asked("P4", "generates or alters child sexual abuse material?"),
        socialScoring: asked("P5", "scores people over time with unrelated or disproportionate detriment?"),
        crimePrediction: asked("P6", "predicts crime by a person only from profile or traits?"),
        faceScraping: asked("P7", "builds face databases by untargeted scraping?"),
        emotionAtWorkOrSchool: asked("P8", "infers emotions at work or in education, other than for medical or safety reasons?"),
        biometricCategorisation: asked("P9", "sorts people by biometrics into race, opinion, union, belief, sex life or orientation?"),
        realTimeBiometricId: asked("P10", "real-time remote biometric identification in public for law enforcement?"),
      })
      .optional()
      .meta({ title: "Prohibited practices", description: "Article 5; one yes stops the system" }),
    annexI: z
      .strictObject({
        regulatedProduct: asked("A1", "is it a product, or a safety component of one, under a law of Annex I Section A?"),
        thirdPartyAssessment: asked("A2", "does that product need third-party conformity assessment?"),
        onlyAssistance: asked("A3", "is it only non-safety user assistance, optimisation or convenience? counts once the risk owner has signed it"),
      })
      .optional()
      .meta({ title: "Annex I", description: "regulated products" }),
    annexIII: z.array(z.enum(annexIIIUses)).max(annexIIIUses.length).optional().meta({ title: "Annex III", description: "every listed area it may fall in; [] for none" }),
    carveOuts: z
      .array(z.enum(carveOutNames))
      .max(carveOutNames.length)
      .optional()
      .meta({ title: "Carve-outs", description: "exemptions claimed from Annex III; they count once the risk owner has signed them" }),
    derogation: z
      .strictObject({
        profiles: asked("D0", "does it profile natural persons?"),
        narrowProcedural: asked("D1", "narrow procedural task only?"),
        improvesFinishedWork: asked("D2", "improves the result of work a person already finished?"),
        detectsPatterns: asked("D3", "finds patterns or deviations without swaying the earlier human judgement unreviewed?"),
        preparatory: asked("D4", "only preparatory to an assessment?"),
        noSignificantRisk: asked("D5", "is there, with reasons, no significant risk to health, safety or fundamental rights?"),
      })
      .optional()
      .meta({ title: "Derogation", description: "Article 6(3), claimed for an Annex III area; counts once the risk owner has signed it" }),
    transparency: z
      .strictObject({
        notObviouslyAi: asked("T1", "talks directly with people, and that it is AI is not obvious?"),
        syntheticContent: asked("T2", "generates synthetic audio, image, video or text, beyond standard editing help?"),
        emotionOrCategorisation: asked("T3", "emotion recognition or biometric categorisation in use?"),
        deepFakesOrPublicText: asked("T4", "deep fakes, or unreviewed text on matters of public interest?"),
      })
      .optional()
      .meta({ title: "Transparency", description: "Article 50" }),
    gpai: z
      .strictObject({
        placesModel: asked("G1", "do you place a general-purpose model itself on the EU market?"),
        systemicRisk: asked("G2", "training compute above 10^25 FLOP, or designated by the Commission?"),
        openLicence: asked("G3", "released under a free and open licence with public weights and no systemic risk?"),
      })
      .optional()
      .meta({ title: "General-purpose models", description: "a track of its own" }),
  })
  .meta({ title: "EU AI Act", description: "answers true or false; one left out takes the stricter branch" });
export type EuAnswers = z.output<typeof EuAnswers>;
