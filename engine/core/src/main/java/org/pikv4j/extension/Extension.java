package org.pikv4j.extension;

/** Something that is chosen by name; found by {@link java.util.ServiceLoader}, or handed over as an object. */
public interface Extension {

    /**
     * @return its name in options, lower case
     */
    String name();
}
