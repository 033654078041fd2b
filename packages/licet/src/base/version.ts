export const licetVersion = "0.1.0";
