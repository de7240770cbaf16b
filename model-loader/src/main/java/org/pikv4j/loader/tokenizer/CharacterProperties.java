package org.pikv4j.loader.tokenizer;

import java.lang.Character.UnicodeScript;
import java.util.Locale;
import java.util.Map;

/**
 * The character properties that Oniguruma knows by name, as members of a class of {@link java.util.regex.Pattern}. The
 * characters come from Java's tables (Unicode 16), compared with Oniguruma's over all code points.
 */
final class CharacterProperties {
    /** What {@code \w} matches between brackets. */
    static final String WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";

    /** What {@code \w} matches by itself, and what {@code \b} goes by: Latin-1's superscripts and fractions as well. */
    static final String LONE_WORD = WORD + "\\xB2\\xB3\\xB9\\xBC-\\xBE";

    private static final String GRAPH = "[^\\p{IsWhite_Space}\\p{Cc}\\p{Cn}\\p{Cs}]";

    /** By names in lower case without blanks, underscores and hyphens. */
    private static final Map<String, String> PROPERTIES = Map.ofEntries(
            Map.entry("any", "\\x{0}-\\x{10FFFF}"),
            Map.entry("assigned", "\\P{Cn}"),
            Map.entry("ascii", "\\x00-\\x7F"),
            Map.entry("alpha", "\\p{IsAlphabetic}"),
            Map.entry("alphabetic", "\\p{IsAlphabetic}"),
            Map.entry("alnum", "\\p{IsAlphabetic}\\p{Nd}"),
            Map.entry("digit", "\\p{Nd}"),
            Map.entry("upper", "\\p{IsUppercase}"),
            Map.entry("uppercase", "\\p{IsUppercase}"),
            Map.entry("lower", "\\p{IsLowercase}"),
            Map.entry("lowercase", "\\p{IsLowercase}"),
            Map.entry("space", "\\p{IsWhite_Space}"),
            Map.entry("whitespace", "\\p{IsWhite_Space}"),
            Map.entry("blank", "\\p{Zs}\\t"),
            Map.entry("cntrl", "\\p{Cc}"),
            Map.entry("punct", "\\p{P}"),
            Map.entry("graph", GRAPH),
            Map.entry("print", GRAPH + "\\p{Zs}"),
            Map.entry("xdigit", "0-9A-Fa-f"),
            Map.entry("word", WORD),
            Map.entry("ideographic", "\\p{IsIdeographic}"),
            Map.entry("emoji", "\\p{IsEmoji}"),
            Map.entry("emojipresentation", "\\p{IsEmoji_Presentation}"),
            Map.entry("extendedpictographic", "\\p{IsExtended_Pictographic}"),
            Map.entry("lc", "\\p{Lu}\\p{Ll}\\p{Lt}"),
            Map.entry("casedletter", "\\p{Lu}\\p{Ll}\\p{Lt}"),
            Map.entry("letter", "\\p{L}"),
            Map.entry("uppercaseletter", "\\p{Lu}"),
            Map.entry("lowercaseletter", "\\p{Ll}"),
            Map.entry("titlecaseletter", "\\p{Lt}"),
            Map.entry("modifierletter", "\\p{Lm}"),
            Map.entry("otherletter", "\\p{Lo}"),
            Map.entry("mark", "\\p{M}"),
            Map.entry("nonspacingmark", "\\p{Mn}"),
            Map.entry("spacingmark", "\\p{Mc}"),
            Map.entry("enclosingmark", "\\p{Me}"),
            Map.entry("number", "\\p{N}"),
            Map.entry("decimalnumber", "\\p{Nd}"),
            Map.entry("letternumber", "\\p{Nl}"),
            Map.entry("othernumber", "\\p{No}"),
            Map.entry("punctuation", "\\p{P}"),
            Map.entry("connectorpunctuation", "\\p{Pc}"),
            Map.entry("dashpunctuation", "\\p{Pd}"),
            Map.entry("openpunctuation", "\\p{Ps}"),
            Map.entry("closepunctuation", "\\p{Pe}"),
            Map.entry("initialpunctuation", "\\p{Pi}"),
            Map.entry("finalpunctuation", "\\p{Pf}"),
            Map.entry("otherpunctuation", "\\p{Po}"),
            Map.entry("symbol", "\\p{S}"),
            Map.entry("mathsymbol", "\\p{Sm}"),
            Map.entry("currencysymbol", "\\p{Sc}"),
            Map.entry("modifiersymbol", "\\p{Sk}"),
            Map.entry("othersymbol", "\\p{So}"),
            Map.entry("separator", "\\p{Z}"),
            Map.entry("spaceseparator", "\\p{Zs}"),
            Map.entry("lineseparator", "\\p{Zl}"),
            Map.entry("paragraphseparator", "\\p{Zp}"),
            Map.entry("other", "\\p{C}"),
            Map.entry("control", "\\p{Cc}"),
            Map.entry("format", "\\p{Cf}"),
            Map.entry("unassigned", "\\p{Cn}"),
            Map.entry("privateuse", "\\p{Co}"),
            Map.entry("surrogate", "\\p{Cs}"));

    private static final String CATEGORIES =
            " l lu ll lt lm lo m mn mc me n nd nl no p pc pd ps pe pi pf po s sm sc sk so z zs zl zp c cc cf cn co cs ";

    private CharacterProperties() {}

    /**
     * @param name between the braces of {@code \p{...}}, without a leading {@code ^}
     * @return the characters, to stand between brackets
     * @throws TokenizerDefectException if no property, category or script has that name
     */
    static String named(String name) {
        String key = name.toLowerCase(Locale.ROOT).replaceAll("[ _-]", "");
        String members = PROPERTIES.get(key);
        if (members != null) {
            return members;
        }
        if (key.length() <= 2 && CATEGORIES.contains(" " + key + " ")) {
            return "\\p{" + key.substring(0, 1).toUpperCase(Locale.ROOT) + key.substring(1) + "}";
        }
        try {
            return "\\p{Is" + UnicodeScript.forName(name.replace(' ', '_')) + "}";
        } catch (IllegalArgumentException e) {
            throw new TokenizerDefectException("unknown character property " + name, e);
        }
    }

    /**
     * @param name between the colons of {@code [:...:]}
     * @return the characters, to stand between brackets
     * @throws TokenizerDefectException if it is no POSIX class
     */
    static String posix(String name) {
        return switch (name) {
            case "punct" -> "\\p{P}\\p{S}";
            case "alpha",
                    "alnum",
                    "ascii",
                    "blank",
                    "cntrl",
                    "digit",
                    "graph",
                    "lower",
                    "print",
                    "space",
                    "upper",
                    "word",
                    "xdigit" -> named(name);
            default -> throw new TokenizerDefectException("unknown POSIX class " + name);
        };
    }
}
