-- The tables of Odoo's stock module that the mapping reads, with the columns that matter for stock and a few beside them,
-- as far as Odoo's public model definitions state them. For tests; an Odoo has them already.

CREATE TABLE product_product (
  id serial PRIMARY KEY,
  default_code varchar,
  barcode varchar,
  product_tmpl_id int NOT NULL,
  active boolean DEFAULT true,
  create_uid int,
  write_date timestamp
);

CREATE TABLE stock_location (
  id serial PRIMARY KEY,
  name varchar NOT NULL,
  complete_name varchar,
  usage varchar NOT NULL,
  location_id int,
  company_id int,
  active boolean DEFAULT true
);

CREATE TABLE stock_picking (
  id serial PRIMARY KEY,
  name varchar,
  state varchar,
  partner_id int,
  location_id int NOT NULL,
  location_dest_id int NOT NULL,
  scheduled_date timestamp,
  date_done timestamp
);

CREATE TABLE stock_move (
  id serial PRIMARY KEY,
  name varchar NOT NULL,
  product_id int NOT NULL,
  product_uom int NOT NULL,
  product_uom_qty numeric NOT NULL,
  product_qty float8,
  quantity numeric,
  location_id int NOT NULL,
  location_dest_id int NOT NULL,
  picking_id int,
  state varchar,
  date timestamp NOT NULL
);

CREATE TABLE stock_move_line (
  id serial PRIMARY KEY,
  move_id int,
  picking_id int,
  product_id int,
  product_uom_id int NOT NULL,
  quantity numeric,
  quantity_product_uom numeric,
  location_id int NOT NULL,
  location_dest_id int NOT NULL,
  lot_id int,
  state varchar,
  date timestamp NOT NULL
);

CREATE TABLE stock_quant (
  id serial PRIMARY KEY,
  product_id int NOT NULL,
  company_id int,
  location_id int NOT NULL,
  lot_id int,
  package_id int,
  owner_id int,
  quantity numeric,
  reserved_quantity numeric NOT NULL,
  in_date timestamp NOT NULL
);
