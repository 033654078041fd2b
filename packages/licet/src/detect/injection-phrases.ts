/**
 * What people write to make a model forget whom it serves. Each matches within one sentence or line and in a bounded
 * number of characters; the languages are English, German, French, Spanish, Italian, Portuguese and Dutch.
 */
const gap = (max: number) => `[^.!?\\n]{0,${max}}?`;
const word = (list: string) => `(?<![\\p{L}])(?:${list})(?![\\p{L}])`;

const forget = "ignor(?:e|iere?n?|ieren|ez|er|a|e|ad|en|are|ate|i|ar)|disregard|forget|override|bypass|vergiss|vergessen|vergesst|missachte|überschreibe|oublie[rz]?|fais abstraction|olvid(?:a|e|ad|en)|haz caso omiso|omite|dimentica(?:re|te)?|trascura|esque[çc](?:a|e)|desconsidere|negeer|vergeet";
const before = "previous|prior|above|earlier|preceding|foregoing|all|any|your|the|every|les|los|las|gli|os|vorherigen?|vorigen?|bisherigen?|obigen?|alle|allen|deine|ihre|früheren?|précédentes?|antérieures?|toutes?|tous|vos|tes|ci-dessus|anteriores|previas|todas|tus|sus|precedenti|tutte|le|tue|todas?|suas|as|eerdere|vorige|bovenstaande|alle|je";
const orders = "instructions?|instruct?ed|directions?|rules|prompts?|directives?|guidelines|guardrails|commands?|orders|policies|restrictions|anweisungen?|instruktionen|regeln|vorgaben|befehle|consignes|règles|directives|instrucciones|reglas|indicaciones|órdenes|istruzioni|regole|indicazioni|instruções|regras|instructies|regels|aanwijzingen|opdrachten";

/** Each is enough by itself. */
export const strongPhrases: readonly string[] = [
  `${word(forget)}${gap(30)}${word(before)}${gap(40)}${word(orders)}`,
  `${word("ignore|disregard|forget")} (?:everything|anything|all|what)(?: that)? (?:you (?:have been|were|'ve been) told|(?:was )?(?:said |written )?(?:above|before|previously))`,
  `${word("vergiss|ignoriere|vergessen sie|ignorieren sie")} (?:alles|all das),? was (?:du|dir|sie|ihnen|davor|vorher|oben|bisher)`,
  `${word("reveal|print|show|repeat|output|leak|display|dump|tell me|give me|write out")}${gap(25)}${word("your|the|its|this")} (?:(?:full|entire|complete|exact|initial|original|hidden|secret|whole|verbatim|internal) ){0,3}(?:system|developer|initial|hidden|secret) (?:prompt|message|instructions?)`,
  `${word("zeige?|nenne?|verrate?|wiederhole?|gib|drucke")}${gap(25)}(?:system-?(?:prompt|nachricht|anweisung(?:en)?)|geheimen? anweisungen)`,
  `${word("affiche[rz]?|montre[rz]?|révèle[rz]?|répète[rz]?|donne[rz]?")}${gap(30)}(?:prompt système|invite système|instructions (?:système|cachées|initiales))`,
  `${word("muestra|revela|repite|imprime|muéstrame|dime")}${gap(30)}(?:prompt del sistema|instrucciones (?:del sistema|ocultas|iniciales)|mensaje del sistema)`,
  `${word("mostra|rivela|ripeti|stampa|mostre|revele|repita|imprima|toon|onthul|herhaal")}${gap(30)}(?:prompt (?:di|do|del) sistema|istruzioni (?:di sistema|nascoste|iniziali)|instruções (?:do sistema|ocultas|iniciais)|systeemprompt|systeeminstructies)`,
  `${word("you are|act as|pretend to be|become|du bist|tu es|vous êtes|eres|sei|você é|je bent")}${gap(20)}${word("now|jetzt|nun|maintenant|désormais|ahora|ora|adesso|agora|nu|as|an?")}${gap(20)}${word("DAN|jailbroken|unrestricted|unfiltered|uncensored|do anything now|developer mode|evil|unbeschränkt\\w*|uneingeschränkt\\w*|sans (?:aucune )?(?:restriction|limite)s?|sin (?:restricciones|límites|filtros)|senza (?:restrizioni|limiti|filtri)|sem (?:restrições|limites|filtros)|zonder (?:beperkingen|regels|filters)")}`,
  `${word("enable|enter|activate|switch to|turn on|aktiviere|active|activa|attiva|ative|activeer")}${gap(15)}${word("developer mode|debug mode|god mode|jailbreak(?: mode)?|DAN mode|admin mode|entwicklermodus|mode développeur|modo (?:de )?desarrollador|modalità sviluppatore|modo (?:de )?desenvolvedor|ontwikkelaarsmodus")}`,
  `(?:^|\\n)[ \\t]{0,8}(?:#{1,3} ?|\\[|<\\|?|</?)?(?:system|developer|im_start|start_header_id)(?:\\|?>|\\]|:| ?(?:prompt|message|override|instruction)s? ?:)${gap(60)}${word("you|ignore|new|must|override|now|obey|your")}`,
  `<\\|(?:im_start|im_end|endoftext|start_header_id|system|eot_id)\\|>`,
  `\\[/?(?:INST|SYS)\\]|<</?SYS>>`,
  `${word("new|updated|real|actual|following|neue|nouvelles?|nuevas|nuove|novas|nieuwe")} (?:system )?${word("instructions?|anweisungen|consignes|instrucciones|istruzioni|instruções|instructies|system prompt")}${gap(12)}:`,
  `${word("do not|don't|never|without|ne|no|nicht|non|não|niet")}${gap(20)}${word("tell|inform|mention|alert|notify|informing|telling|alerting|notifying|mentioning|reveal(?:ing)?|sag(?:e|en)|informieren|dis|dites|prévenir|digas|informar|dire|diga|vertel")}${gap(12)}${word("the user|the human|the operator|dem (?:benutzer|nutzer|anwender)|l'utilisateur|al usuario|el usuario|all'utente|ao usuário|de gebruiker")}`,
  `${word("your|the|these|those|all|deine|vos|tus|le tue|suas|je")} ${gap(20)}${word("rules|restrictions|guidelines|instructions|safety|filters?|guardrails|regeln|règles|reglas|regole|regras|regels")}${gap(20)}${word("no longer apply|do not apply|don't apply|are void|are lifted|are suspended|have been (?:lifted|removed|disabled)|gelten nicht(?: mehr)?|ne s'appliquent plus|ya no (?:se )?aplican|non si applicano(?: più)?|não se aplicam(?: mais)?|gelden niet(?: meer)?")}`,
  `${word("without|no|ohne|sans|sin|senza|sem|zonder")} (?:any |jegliche |aucune |ninguna |alcuna |qualquer |enige )?${word("ethical|moral|safety|content|ethische|éthique|éticas?|etiche?")} ${word("guidelines|restrictions|constraints|filters?|rules|limits|richtlinien|restriktionen|beschränkungen|restrictions|restricciones|restrizioni|restrições|beperkingen|considerations")}`,
  `${word("jailbreak|prompt injection")}${gap(25)}${word("activated|successful|mode|enabled|now")}`,
  `${word("(?:send|forward|post|upload|exfiltrate|email|transmit|leak)")}${gap(40)}${word("api keys?|passwords?|credentials|secrets|conversation|chat history|system prompt|environment variables|user data|tokens")}${gap(30)}(?:https?://|to [\\w.+-]{1,40}@|to (?:this|the following) (?:url|address|server|webhook|endpoint))`,
];

/** One of these stands in everything that a phrase matches; a sentence without any is not read by the phrases. */
export const phraseWords: readonly string[] = [
  "instruct", "instruk", "direction", "rule", "prompt", "directive", "guideline", "guardrail", "command", "orders", "polic", "restri", "anweis", "regel", "vorgabe", "befehl",
  "consigne", "règle", "instrucc", "regla", "indicac", "órden", "istruzion", "regol", "indicazion", "instruç", "regra", "aanwijzing", "opdracht",
  "ignor", "disregard", "forget", "vergiss", "vergessen", "system", "système", "sistema", "developer", "hidden", "initial", "secret", "message",
  "jailbr", "unfiltered", "uncensored", "do anything now", "evil", "unbeschränkt", "uneingeschränkt", "limit", "límite", "filter", "filtr", "beperk", "beschränk", "richtlinie",
  "debug mode", "god mode", "admin mode", "entwickler", "développeur", "desarrollador", "sviluppatore", "desenvolvedor", "ontwikkel",
  "im_start", "start_header_id", "<|", "[inst", "[/inst", "[sys", "[/sys", "<<sys", "<</sys",
  "the user", "the human", "the operator", "benutzer", "nutzer", "anwender", "utilisateur", "usuario", "utente", "usuário", "gebruiker",
  "safety", "ethic", "éthi", "étic", "étiq", "constraint", "consideration", "api key", "password", "credential", "conversation", "chat history", "environment var", "user data", "token",
];
