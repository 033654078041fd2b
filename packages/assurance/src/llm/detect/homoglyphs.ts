/** Letters of other scripts that are drawn like a Latin letter or a digit, by what they look like. Source: Unicode TR39, confusables. */
const lookalikes: Readonly<Record<string, string>> = {
  a: "аАαΑɑᴀᎪꓮ",
  b: "вВβΒЬʙᏴꓐƄ",
  c: "сСϲϹᴄᏟꓚⅽ",
  d: "ԁᴅᎠꓓɗ",
  e: "еЕεΕєЄᴇᎬꓰ",
  f: "ϝϜꜰꓝƒ",
  g: "ɡɢᏀꓖԌ",
  h: "һҺнНηΗʜᎻꓧ",
  i: "іІιΙɪᎥꓲı",
  j: "јЈϳᴊᎫꓙ",
  k: "кКκΚᴋᏦꓗ",
  l: "ʟᏞꓡӏӀ",
  m: "мМμΜᴍᎷꓟ",
  n: "ոΝɴꓠпν",
  o: "оОοΟօՕᴏꓳ",
  p: "рРρΡᴘᏢꓑ",
  q: "ԛԚգ",
  r: "гᴦʀᏒꓣ",
  s: "ѕЅꜱᏚꓢՏ",
  t: "тТτΤᴛᎢꓔ",
  u: "υᴜսՍꓴ",
  v: "ѵѴᴠᏙꓦ",
  w: "ԝԜᴡᎳꓪωш",
  x: "хХχΧꓫ×",
  y: "уУүҮγΥʏꓬ",
  z: "ᴢᏃꓜΖζ",
  "3": "зЗӠ",
  "4": "Ꮞ",
  "5": "Ƽ",
  "6": "бᏮ",
  "8": "Ȣ",
};

/** What a character looks like, in lower case. Characters that are not listed look like themselves. */
export const homoglyphs: ReadonlyMap<string, string> = new Map(
  Object.entries(lookalikes).flatMap(([latin, others]) => Array.from(others, (other) => [other, latin] as const)),
);
