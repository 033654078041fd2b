/** Check digits of numbers that people carry, each by its published rule. All take digits only, unless they say otherwise. */

function digitAt(digits: string, at: number): number {
  return digits.charCodeAt(at) - 48;
}

function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * digitAt(digits, at), 0);
}

/** ISO/IEC 7812-1, annex B. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const each = digitAt(digits, digits.length - 1 - i);
    const doubled = i % 2 === 1 ? each * 2 : each;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Of a number too long for arithmetic; letters count from 10 as in ISO 13616. */
export function remainder97(characters: string): number {
  let rest = 0;
  for (const character of characters) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

const dihedral = ["0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104", "9876543210"];
const permutation = ["0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"];

/** Verhoeff (1969). */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i++) {
    const permuted = Number(permutation[i % 8]?.charAt(digitAt(digits, digits.length - 1 - i)));
    check = Number(dihedral[check]?.charAt(permuted));
  }
  return check === 0;
}

/** ISO/IEC 7064, MOD 11,10, as the German Steuer-ID uses it. */
export function mod11and10(digits: string): boolean {
  let product = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digitAt(digits, i) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1);
}

/** The sum of products is a multiple of eleven. */
export function elevenTest(digits: string, weights: readonly number[]): boolean {
  return weighted(digits, weights) % 11 === 0;
}

/** The sum of products is a multiple of ten. */
export function tenTest(digits: string, weights: readonly number[]): boolean {
  return weighted(digits, weights) % 10 === 0;
}

/** Brazil's two digits, each by eleven over all before it. */
export function cpf(digits: string): boolean {
  if (/^(\d)\1+$/u.test(digits)) return false;
  return [9, 10].every((length) => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += digitAt(digits, i) * (length + 1 - i);
    return ((sum * 10) % 11) % 10 === digitAt(digits, length);
  });
}

/** Day and month that exist; the year is given in two digits and taken as a leap year. */
export function isDate({ day, month }: { readonly day: number; readonly month: number }): boolean {
  const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return month >= 1 && month <= 12 && day >= 1 && day <= (days[month - 1] ?? 0);
}
