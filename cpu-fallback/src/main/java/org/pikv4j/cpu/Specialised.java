package org.pikv4j.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;

/**
 * Loads a class once per parameter. The copy's static final constants come from the parameter ({@link
 * MethodHandles#classData}), so the compiler folds them, inlines what they call, and profiles each copy by itself: one
 * source does for all element types what would otherwise be one pasted loop per type.
 */
final class Specialised {

    private Specialised() {}

    /**
     * @param template a class of this package with a constructor without arguments, whose static initialiser reads its
     *     parameter by {@link MethodHandles#classData}
     * @param type what the template implements
     * @param parameter the parameter
     * @return an instance of a fresh copy of the template
     */
    static <T> T of(Class<? extends T> template, Class<T> type, Object parameter) {
        String resource = template.getSimpleName() + ".class";
        try (InputStream code = template.getResourceAsStream(resource)) {
            if (code == null) {
                throw new IllegalStateException(resource + " is not on the class path");
            }
            MethodHandles.Lookup copy =
                    MethodHandles.lookup().defineHiddenClassWithClassData(code.readAllBytes(), parameter, true);
            return type.cast(copy.lookupClass().getDeclaredConstructor().newInstance());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(template + " cannot be specialised", e);
        }
    }

    /**
     * @param lookup the copy's own lookup
     * @param type the parameter's type
     * @return the parameter that the copy was made with
     */
    static <T> T parameter(MethodHandles.Lookup lookup, Class<T> type) {
        try {
            T parameter = MethodHandles.classData(lookup, "_", type);
            if (parameter == null) {
                throw new IllegalStateException(lookup.lookupClass() + " is a template, not to be used itself");
            }
            return parameter;
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
