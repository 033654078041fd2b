/** Areas of Annex III by readable names. */
export const annexIIIUses = [
  "biometric-identification",
  "biometric-categorisation",
  "emotion-recognition",
  "critical-infrastructure",
  "education-admission",
  "education-evaluation",
  "education-level",
  "education-proctoring",
  "recruitment",
  "worker-management",
  "public-benefits",
  "creditworthiness",
  "life-and-health-insurance",
  "emergency-calls",
  "victim-risk",
  "police-polygraph",
  "evidence-reliability",
  "offending-risk",
  "police-profiling",
  "border-polygraph",
  "border-risk",
  "asylum-and-visa",
  "border-identification",
  "justice",
  "elections",
] as const;
export type AnnexIIIUse = (typeof annexIIIUses)[number];

/** The point of Annex III that each name stands for. */
export const annexIII: Readonly<Record<AnnexIIIUse, string>> = {
  "biometric-identification": "Annex.III.1.a",
  "biometric-categorisation": "Annex.III.1.b",
  "emotion-recognition": "Annex.III.1.c",
  "critical-infrastructure": "Annex.III.2",
  "education-admission": "Annex.III.3.a",
  "education-evaluation": "Annex.III.3.b",
  "education-level": "Annex.III.3.c",
  "education-proctoring": "Annex.III.3.d",
  recruitment: "Annex.III.4.a",
  "worker-management": "Annex.III.4.b",
  "public-benefits": "Annex.III.5.a",
  creditworthiness: "Annex.III.5.b",
  "life-and-health-insurance": "Annex.III.5.c",
  "emergency-calls": "Annex.III.5.d",
  "victim-risk": "Annex.III.6.a",
  "police-polygraph": "Annex.III.6.b",
  "evidence-reliability": "Annex.III.6.c",
  "offending-risk": "Annex.III.6.d",
  "police-profiling": "Annex.III.6.e",
  "border-polygraph": "Annex.III.7.a",
  "border-risk": "Annex.III.7.b",
  "asylum-and-visa": "Annex.III.7.c",
  "border-identification": "Annex.III.7.d",
  justice: "Annex.III.8.a",
  elections: "Annex.III.8.b",
};

export const carveOutNames = ["one-to-one-verification", "financial-fraud-detection", "travel-document-check"] as const;
export type CarveOut = (typeof carveOutNames)[number];

/** Carve-outs of Annex III, and the use each would exempt. */
export const carveOuts: Readonly<Record<CarveOut, AnnexIIIUse>> = {
  "one-to-one-verification": "biometric-identification",
  "financial-fraud-detection": "creditworthiness",
  "travel-document-check": "border-identification",
};
