-- A part of a few files instead of two per column: inserts of large blocks take a third less, questions the same.
ALTER TABLE movements MODIFY SETTING min_bytes_for_wide_part = 1073741824;

ALTER TABLE sale_lines MODIFY SETTING min_bytes_for_wide_part = 1073741824;
