package org.pikv4j.cli;

import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads sizes such as {@code 512MiB}. */
public final class ByteSizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
        try {
            return ByteSize.parse(value);
        } catch (InvalidOptionException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
