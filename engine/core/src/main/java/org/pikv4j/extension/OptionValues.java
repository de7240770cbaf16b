package org.pikv4j.extension;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;

/** What stands behind an extension's name, {@code NAME:option=value,…}. Each option must be asked for. */
public class OptionValues {
    /** Limits from here on keep arithmetic finite: nobody is told of them who does not pass them. */
    private static final double BOUNDLESS = 1e6;

    private final String of;
    private final Map<String, String> values;
    private final Map<String, String> known = new LinkedHashMap<>(); // with their defaults, for people

    /**
     * @param of whose options they are, for messages, for instance {@code kv-policy h2o}
     * @param values what was written, by name
     */
    public OptionValues(String of, Map<String, String> values) {
        this.of = of;
        this.values = new LinkedHashMap<>(values);
    }

    /**
     * Takes {@code NAME:option=value,…} apart.
     *
     * @param option whose value it is, for messages
     * @param spec the value
     * @param from where the colon is looked for
     * @param into receives the options
     * @return the part before the colon
     * @throws InvalidOptionException if what stands behind it is no list of options
     */
    public static String split(String option, String spec, int from, Map<String, String> into) {
        int colon = spec.indexOf(':', from);
        if (colon < 0) {
            return spec;
        }
        for (String pair : spec.substring(colon + 1).split(",", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 1 || into.put(pair.substring(0, equals), pair.substring(equals + 1)) != null) {
                throw new InvalidOptionException(
                        option + " '" + spec + "': options are name=value, each once, with commas between");
            }
        }
        return spec.substring(0, colon);
    }

    /**
     * @return whose options they are
     */
    protected String of() {
        return of;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @param least the smallest value possible
     * @return its value
     */
    public int number(String name, int usual, int least) {
        return number(name, usual, least, Integer.MAX_VALUE);
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @param least the smallest value possible
     * @param most the largest
     * @return its value
     */
    public int number(String name, int usual, int least, int most) {
        double value = real(name, usual, least, most);
        if (value != Math.rint(value)) {
            throw new InvalidOptionException(of + ": " + name + " must be a whole number");
        }
        return (int) value;
    }

    /**
     * A number whose default follows from something else.
     *
     * @param name an option's name
     * @param usual what stands for that default
     * @param words what it is, for people
     * @param least the smallest value possible
     * @return its value
     */
    public int number(String name, int usual, String words, int least) {
        int value = number(name, usual, least);
        known.put(name, words);
        return value;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @return whether it is 1, and not 0
     */
    public boolean flag(String name, boolean usual) {
        double value = real(name, usual ? 1 : 0, 0, 1);
        if (value != Math.rint(value)) {
            throw new InvalidOptionException(of + ": " + name + " must be 0 or 1");
        }
        return value == 1;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @param least the smallest value possible
     * @param most the largest
     * @return its value
     */
    public double real(String name, double usual, double least, double most) {
        known.put(name, plain(usual));
        String text = values.get(name);
        if (text == null) {
            return usual;
        }
        double value;
        try {
            value = Double.parseDouble(text);
        } catch (NumberFormatException e) {
            value = Double.NaN;
        }
        if (!(value >= least && value <= most)) {
            throw new InvalidOptionException(
                    "%s: %s must be %s, not '%s'".formatted(of, name, range(value, least, most), text));
        }
        return value;
    }

    private static String range(double value, double least, double most) {
        if (most < BOUNDLESS) {
            return "a number from " + plain(least) + " to " + plain(most);
        }
        return value > most ? "at most " + plain(most) : "a number of at least " + plain(least);
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @return its value, as it was written
     */
    public String text(String name, String usual) {
        known.put(name, usual);
        return values.getOrDefault(name, usual);
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @return its value, a size
     */
    public long bytes(String name, long usual) {
        known.put(name, ByteSize.format(usual));
        String text = values.get(name);
        try {
            return text == null ? usual : ByteSize.parse(text);
        } catch (InvalidOptionException e) {
            throw new InvalidOptionException(of + ": " + name + " " + e.getMessage());
        }
    }

    /**
     * @return what was asked for so far, in that order: names of options, and their defaults in words
     */
    public Map<String, String> defaults() {
        return Collections.unmodifiableMap(known);
    }

    /**
     * @throws InvalidOptionException if there is an option that nobody asked for
     */
    public void checkAllUsed() {
        for (String name : values.keySet()) {
            if (!known.containsKey(name)) {
                throw unknown(name);
            }
        }
    }

    /**
     * @param name an option that nobody asked for
     * @return what to say of it
     */
    protected InvalidOptionException unknown(String name) {
        return new InvalidOptionException(
                known.isEmpty()
                        ? of + " has no options"
                        : "%s has no option '%s'; it has %s".formatted(of, name, String.join(", ", known.keySet())));
    }
}
