package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** The methods of Python's strings that templates call. */
final class StringMethods {
    private static final Set<String> NAMES = Set.of(
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "rsplit",
            "splitlines",
            "startswith",
            "endswith",
            "removeprefix",
            "removesuffix",
            "upper",
            "lower",
            "title",
            "capitalize",
            "replace",
            "find",
            "rfind",
            "count",
            "join",
            "isdigit",
            "isdecimal",
            "isnumeric",
            "isalpha",
            "isalnum",
            "isspace",
            "isupper",
            "islower");

    private StringMethods() {}

    static boolean has(String name) {
        return NAMES.contains(name);
    }

    /**
     * @param text the string
     * @param name the method, one that {@link #has} knows
     * @param arguments its arguments
     * @param budget pays for the result
     * @return the result
     */
    static Value call(String text, String name, Arguments arguments, Budget budget) {
        // What only looks at the string costs as much as what makes a new one.
        budget.charge(text.length());
        return switch (name) {
            case "strip", "lstrip", "rstrip" ->
                budget.text(PythonText.strip(
                        text, arguments.optionalText(0, "chars"), !name.equals("rstrip"), !name.equals("lstrip")));
            case "split", "rsplit" ->
                texts(
                        PythonText.split(
                                text,
                                arguments.optionalText(0, "sep"),
                                arguments.integer(1, "maxsplit", -1),
                                name.equals("rsplit")),
                        budget);
            case "splitlines" -> texts(text.lines().toList(), budget);
            case "startswith" -> Value.of(anyOf(arguments, text::startsWith));
            case "endswith" -> Value.of(anyOf(arguments, text::endsWith));
            case "removeprefix" -> {
                String prefix = arguments.text(0, "prefix");
                yield budget.text(text.startsWith(prefix) ? text.substring(prefix.length()) : text);
            }
            case "removesuffix" -> {
                String suffix = arguments.text(0, "suffix");
                yield budget.text(text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text);
            }
            case "upper" -> budget.text(text.toUpperCase(Locale.ROOT));
            case "lower" -> budget.text(text.toLowerCase(Locale.ROOT));
            case "title" -> budget.text(PythonText.title(text));
            case "capitalize" -> budget.text(PythonText.capitalize(text));
            case "replace" ->
                replace(
                        text,
                        arguments.text(0, "old"),
                        arguments.text(1, "new"),
                        arguments.integer(2, "count", -1),
                        budget);
            case "find" -> Value.of(index(text, text.indexOf(arguments.text(0, "sub"))));
            case "rfind" -> Value.of(index(text, text.lastIndexOf(arguments.text(0, "sub"))));
            case "count" -> {
                String part = arguments.text(0, "sub");
                yield Value.of(
                        part.isEmpty()
                                ? text.codePointCount(0, text.length()) + 1
                                : PythonText.split(text, Optional.of(part), -1, false)
                                                .size()
                                        - 1L);
            }
            case "join" -> join(text, arguments.require(0, "iterable"), budget);
            case "isdigit", "isdecimal", "isnumeric" -> Value.of(all(text, Character::isDigit));
            case "isalpha" -> Value.of(all(text, Character::isLetter));
            case "isalnum" -> Value.of(all(text, Character::isLetterOrDigit));
            case "isspace" -> Value.of(all(text, PythonText::isSpace));
            case "isupper" ->
                Value.of(text.equals(text.toUpperCase(Locale.ROOT)) && !text.equals(text.toLowerCase(Locale.ROOT)));
            case "islower" ->
                Value.of(text.equals(text.toLowerCase(Locale.ROOT)) && !text.equals(text.toUpperCase(Locale.ROOT)));
            default -> throw new TemplateException("str has no method " + name);
        };
    }

    private static Value texts(List<String> parts, Budget budget) {
        return budget.list(parts.stream().map(Value::of).toList());
    }

    static Value replace(String text, String old, String replacement, int count, Budget budget) {
        if (old.isEmpty()) {
            throw new TemplateException("replace of an empty string is not supported");
        }
        List<String> parts = PythonText.split(text, Optional.of(old), count, false);
        budget.charge(text.length() + (parts.size() - 1L) * replacement.length());
        return Value.of(String.join(replacement, parts));
    }

    static Value join(String separator, Value items, Budget budget) {
        StringBuilder joined = new StringBuilder();
        List<Value> elements = Operators.elements(items, budget);
        for (int i = 0; i < elements.size(); i++) {
            String part = budget.str(elements.get(i));
            budget.charge(part.length() + separator.length());
            joined.append(i == 0 ? "" : separator).append(part);
        }
        return Value.of(joined.toString());
    }

    /** startswith and endswith take a string or a tuple of them. */
    private static boolean anyOf(Arguments arguments, Predicate<String> test) {
        Value wanted = arguments.require(0, "prefix");
        return wanted instanceof Value.Sequence several
                ? several.items().stream().map(PythonText::str).anyMatch(test)
                : test.test(arguments.text(0, "prefix"));
    }

    private static long index(String text, int utf16) {
        return utf16 < 0 ? -1 : text.codePointCount(0, utf16);
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }
}
