-- A bookshop's own database, as it might be found: nothing in it knows of Stockline.
CREATE TABLE book (isbn varchar(20) PRIMARY KEY, title text NOT NULL);
CREATE TABLE shelf (shelf_no int PRIMARY KEY, room text NOT NULL);
CREATE TABLE shelf_stock (
  isbn varchar(20) NOT NULL REFERENCES book, shelf_no int NOT NULL REFERENCES shelf, copies int NOT NULL,
  PRIMARY KEY (isbn, shelf_no)
);
CREATE TABLE sale (sale_id bigserial PRIMARY KEY, sold_at timestamptz NOT NULL DEFAULT now(), state varchar(8) NOT NULL, buyer text);
CREATE TABLE sale_line (
  line_id bigserial PRIMARY KEY, sale_id bigint NOT NULL REFERENCES sale, isbn varchar(20) NOT NULL REFERENCES book,
  shelf_no int NOT NULL REFERENCES shelf, copies int NOT NULL
);
INSERT INTO book VALUES ('978-1', 'Streams'), ('978-2', 'Logs'), ('978-3', 'Tables');
INSERT INTO shelf VALUES (1, 'front'), (2, 'back');
INSERT INTO shelf_stock VALUES ('978-1', 1, 12), ('978-1', 2, 8), ('978-2', 1, 5), ('978-3', 2, 40);
INSERT INTO sale (state, buyer) VALUES ('paid', 'Ada'), ('void', 'Bob');
INSERT INTO sale_line (sale_id, isbn, shelf_no, copies) VALUES (1, '978-1', 1, 2), (2, '978-2', 1, 1);
