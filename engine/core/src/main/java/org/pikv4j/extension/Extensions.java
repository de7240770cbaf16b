package org.pikv4j.extension;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pikv4j.error.InvalidOptionException;

/** Finds extensions by name. */
public final class Extensions {

    private Extensions() {}

    /**
     * @param type the extension's interface
     * @param builtIn those that need no service entry
     * @return all there are
     */
    public static <T extends Extension> List<T> all(Class<T> type, List<? extends T> builtIn) {
        List<T> known = new ArrayList<>(builtIn);
        ServiceLoader.load(type).forEach(known::add);
        return known;
    }

    /**
     * @param kind what it is called in messages, for instance {@code page form}
     * @param type the extension's interface
     * @param builtIn those that need no service entry
     * @param name the name asked for
     * @param others what else may be asked for, for the message
     * @return the extension of that name
     * @throws InvalidOptionException if there is none; the message lists those there are
     */
    public static <T extends Extension> T find(
            String kind, Class<T> type, List<? extends T> builtIn, String name, String... others) {
        List<T> known = all(type, builtIn);
        return known.stream()
                .filter(extension -> extension.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidOptionException(kind + " '" + name + "' is unknown; known: "
                        + (known.isEmpty()
                                ? "none"
                                : Stream.concat(known.stream().map(Extension::name), Stream.of(others))
                                        .collect(Collectors.joining(", ")))));
    }
}
